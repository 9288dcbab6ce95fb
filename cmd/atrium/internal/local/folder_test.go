package local_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/local"
)

func TestAFolderIsUsedByOneMesh(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data")
	folder, err := local.OpenFolder(path)
	require.NoError(t, err)

	_, err = local.OpenFolder(path)
	var inUse *local.InUseError
	require.ErrorAs(t, err, &inUse)
	require.ErrorContains(t, err, "process ")
	require.ErrorContains(t, err, "--data")

	require.NoError(t, folder.Close())
	folder, err = local.OpenFolder(path)
	require.NoError(t, err, "a folder that was given back can be used")
	require.NoError(t, folder.Close())
}

// TestAFolderIsGivenBackWhateverStarts: a process that is being started has all our files until it executes its program, the lock among
// them.
func TestAFolderIsGivenBackWhateverStarts(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data")
	folder, err := local.OpenFolder(path)
	require.NoError(t, err)
	inherited := inherit(t, filepath.Join(path, "lock"))
	require.NoError(t, folder.Close())

	folder, err = local.OpenFolder(path)
	require.NoError(t, err)
	_, err = local.OpenFolder(path)
	var inUse *local.InUseError
	require.ErrorAs(t, err, &inUse)
	require.NoError(t, inherited.Close())
	_, err = local.OpenFolder(path)
	require.ErrorAs(t, err, &inUse, "whoever let go holds nothing of the next one's")
	require.NoError(t, folder.Close())
}

// inherit is a second descriptor of a file that this process has open, as a fork has it.
func inherit(t *testing.T, path string) *os.File {
	t.Helper()
	const open = "/proc/self/fd"
	entries, err := os.ReadDir(open)
	if err != nil {
		t.Skip("needs Linux: ", err)
	}
	for _, entry := range entries {
		if name, err := os.Readlink(filepath.Join(open, entry.Name())); err != nil || name != path {
			continue
		}
		fd, err := strconv.Atoi(entry.Name())
		require.NoError(t, err)
		second, err := syscall.Dup(fd)
		require.NoError(t, err)
		return os.NewFile(uintptr(second), path)
	}
	require.Fail(t, "it is not open", path)
	return nil
}

func TestSecretsAreKeptAndPrivate(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	read := func() (string, string) {
		folder, err := local.OpenFolder(path)
		require.NoError(t, err)
		defer func() { require.NoError(t, folder.Close()) }()
		one, err := folder.Secret("one")
		require.NoError(t, err)
		two, err := folder.Secret("two")
		require.NoError(t, err)
		return one, two
	}
	one, two := read()
	require.NotEqual(t, one, two)
	require.Len(t, one, 43, "256 bits in base64")
	again, _ := read()
	require.Equal(t, one, again)

	info, err := os.Stat(filepath.Join(path, "secrets", "one"))
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
	info, err = os.Stat(filepath.Join(path, "secrets"))
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o700), info.Mode().Perm())
	ignored, err := os.ReadFile(filepath.Join(path, ".gitignore"))
	require.NoError(t, err)
	require.Equal(t, "*\n", string(ignored), "a data folder in a repository is no part of it")
}

func TestDatabaseOfAFolderThatNobodyRuns(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data")
	_, _, err := local.Database(t.Context(), path, "users")
	require.ErrorContains(t, err, "run `atrium up` first")

	require.NoError(t, os.MkdirAll(filepath.Join(path, "postgres"), 0o755))
	url, done, err := local.Database(t.Context(), path, "users")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, done(context.Background())) }) //nolint:usetesting // t.Context is done in a cleanup
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(context.WithoutCancel(t.Context()))) }()
	var database, owner string
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT current_database(), current_user").Scan(&database, &owner))
	require.Equal(t, "atrium_users", database)
	require.Equal(t, "atrium_users", owner)

	stranger, err := pgx.ParseConfig(url)
	require.NoError(t, err)
	stranger.Database = "atrium_auth"
	_, err = pgx.ConnectConfig(t.Context(), stranger)
	require.ErrorContains(t, err, "permission denied", "a service reaches its own database only")
}
