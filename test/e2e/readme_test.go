package e2e_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/test/e2e/mesh"
)

// TestReadme pastes the README's walk-through into a shell, block by block, as a newcomer does, and compares what it prints.
func TestReadme(t *testing.T) {
	t.Parallel()
	m := mesh.Up(t, "--admin-email", "admin@example.com", "--admin-password", "four-quiet-otters")
	script, err := filepath.Abs("../../scripts/walkthrough")
	require.NoError(t, err)
	out, err := exec.CommandContext(t.Context(), script, m.Origin).CombinedOutput()
	require.NoError(t, err, string(out))
	t.Log(string(out))
}
