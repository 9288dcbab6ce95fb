package pglocal

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// A process that is being started has a copy of the lock until it executes its program.
func TestLockIsGivenBackWhateverStarts(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	first, err := lockFile(path)
	require.NoError(t, err)
	_, err = lockFile(path)
	require.ErrorIs(t, err, ErrInUse)
	inherited, err := syscall.Dup(int(first.Fd()))
	require.NoError(t, err)
	unlockFile(first)

	second, err := lockFile(path)
	require.NoError(t, err)
	require.NoError(t, syscall.Close(inherited))
	_, err = lockFile(path)
	require.ErrorIs(t, err, ErrInUse)
	unlockFile(second)
}
