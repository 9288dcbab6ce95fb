package arch_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/test/arch"
)

func TestWorkspace(t *testing.T) {
	t.Parallel()

	w, err := arch.Open()
	require.NoError(t, err)
	packages, err := w.Packages(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, packages)

	t.Run("imports keep the rules", func(t *testing.T) {
		t.Parallel()
		require.Empty(t, arch.ImportViolations(packages))
	})
	t.Run("no test helper is linked into a program", func(t *testing.T) {
		t.Parallel()
		require.Empty(t, arch.LinkViolations(packages))
	})
	t.Run("a typed client brings no verification of tokens along", func(t *testing.T) {
		t.Parallel()
		require.Empty(t, arch.ClientViolations(packages))
	})
	t.Run("files are short and packages say what they own", func(t *testing.T) {
		t.Parallel()
		found, err := arch.ShapeViolations(packages)
		require.NoError(t, err)
		require.Empty(t, found)
	})
	t.Run("every service is the same house", func(t *testing.T) {
		t.Parallel()
		services, err := filepath.Glob(filepath.Join(w.Dir, "services", "*"))
		require.NoError(t, err)
		require.NotEmpty(t, services)
		for _, dir := range services {
			require.Empty(t, arch.HouseViolations(dir))
		}
	})
	t.Run("modules agree on versions", func(t *testing.T) {
		t.Parallel()
		require.Empty(t, arch.VersionViolations(w.Modules))
	})
}
