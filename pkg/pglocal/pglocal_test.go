package pglocal_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/atrium-mesh/atrium/pkg/pglocal"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("ATRIUM_TEST_CHILD"); dir != "" {
		child(dir)
	}
	goleak.VerifyTestMain(m)
}

// child starts a server and waits to be killed.
func child(dir string) {
	s, err := pglocal.Start(context.Background(), pglocal.Options{Dir: dir, Ephemeral: os.Getenv("ATRIUM_TEST_EPHEMERAL") != ""})
	if err != nil {
		_, _ = os.Stdout.WriteString("error " + err.Error() + "\n")
		os.Exit(1) //nolint:revive // a process of its own
	}
	_, _ = os.Stdout.WriteString("ready " + strconv.Itoa(s.PID()) + "\n")
	select {}
}

func start(t *testing.T, opts pglocal.Options) *pglocal.Server {
	t.Helper()
	s, err := pglocal.Start(t.Context(), opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Kill()) })
	return s
}

func query(t *testing.T, url, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	var out string
	require.NoError(t, conn.QueryRow(t.Context(), sql).Scan(&out))
	return out
}

func exec1(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	_, err = conn.Exec(t.Context(), sql)
	require.NoError(t, err)
}

func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pglocal-") //nolint:usetesting // t.TempDir's path can be too long for a socket and closed to other users
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func TestStart(t *testing.T) {
	t.Parallel()

	t.Run("data and address survive a clean stop, and the second start is quick", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(shortDir(t), "postgres")
		s, err := pglocal.Start(t.Context(), pglocal.Options{Dir: dir})
		require.NoError(t, err)
		url := s.URL("postgres")
		require.Equal(t, "on", query(t, url, "SHOW fsync"))
		exec1(t, url, "CREATE TABLE kept AS SELECT 'yes' AS v")
		require.NoError(t, s.Stop(t.Context()))
		require.NoError(t, s.Stop(t.Context()), "stopping twice is no error")

		begin := time.Now()
		s = start(t, pglocal.Options{Dir: dir})
		t.Log("second start took", time.Since(begin))
		require.Equal(t, url, s.URL("postgres"))
		require.Equal(t, "yes", query(t, url, "SELECT v FROM kept"))
	})

	t.Run("a port is guarded by a password", func(t *testing.T) {
		t.Parallel()
		port := freePort(t)
		s := start(t, pglocal.Options{Dir: filepath.Join(shortDir(t), "postgres"), Port: port, Volatile: true})
		require.Equal(t, "1", query(t, s.URL("postgres"), "SELECT 1::text"))
		_, err := pgx.Connect(t.Context(), s.URLFor(pglocal.Superuser, "wrong", "postgres"))
		require.ErrorContains(t, err, "password authentication failed")
	})

	t.Run("a folder is used by one process at a time", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(shortDir(t), "postgres")
		start(t, pglocal.Options{Dir: dir, Volatile: true})
		_, err := pglocal.Start(t.Context(), pglocal.Options{Dir: dir, Volatile: true})
		require.ErrorIs(t, err, pglocal.ErrInUse)
	})

	t.Run("a long path is no obstacle", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(shortDir(t), strings.Repeat("long", 30), "postgres")
		s := start(t, pglocal.Options{Dir: dir, Volatile: true})
		require.Equal(t, "1", query(t, s.URL("postgres"), "SELECT 1::text"))
	})

	t.Run("a folder that only its owner may enter is no obstacle", func(t *testing.T) {
		t.Parallel()
		private := filepath.Join(shortDir(t), "private")
		require.NoError(t, os.Mkdir(private, 0o700))
		dir := filepath.Join(private, "postgres")
		s := start(t, pglocal.Options{Dir: dir, Volatile: true})
		require.Equal(t, "1", query(t, s.URL("postgres"), "SELECT 1::text"))
		if s.Dir() != dir {
			t.Cleanup(func() { _ = os.RemoveAll(s.Dir()) })
		}
	})

	t.Run("a bad setting is an error that says so", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(shortDir(t), "postgres")
		_, err := pglocal.Start(t.Context(), pglocal.Options{Dir: dir, Volatile: true, Settings: map[string]string{"no_such": "1"}})
		require.ErrorContains(t, err, "no_such")
	})
}

func TestRecovery(t *testing.T) {
	t.Parallel()

	t.Run("after the postmaster was killed, and its number has gone to another process", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(shortDir(t), "postgres")
		s := start(t, pglocal.Options{Dir: dir})
		exec1(t, s.URL("postgres"), "CREATE TABLE kept AS SELECT 'yes' AS v")
		require.NoError(t, syscall.Kill(s.PID(), syscall.SIGKILL))
		<-s.Done()
		require.NoError(t, s.Stop(t.Context()))
		pidFile := filepath.Join(s.Dir(), "data", "postmaster.pid")
		text, err := os.ReadFile(pidFile)
		require.NoError(t, err)
		text = []byte(strings.Replace(string(text), strconv.Itoa(s.PID()), strconv.Itoa(os.Getppid()), 1))
		require.NoError(t, os.WriteFile(pidFile, text, 0o600))

		s = start(t, pglocal.Options{Dir: dir})
		require.Equal(t, "yes", query(t, s.URL("postgres"), "SELECT v FROM kept"))
	})

	t.Run("the server ends with the process that started it", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(shortDir(t), "postgres")
		cmd, pid := startChild(t, dir, true)
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait()
		require.Eventually(t, func() bool {
			_, err := os.Stat(filepath.Join(dir, "data"))
			return os.IsNotExist(err) && syscall.Kill(pid, 0) != nil
		}, 20*time.Second, 10*time.Millisecond)
	})

	t.Run("a server whose process and guard were killed is taken over", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(shortDir(t), "postgres")
		cmd, pid := startChild(t, dir, false)
		require.NoError(t, syscall.Kill(parentOf(t, pid), syscall.SIGSTOP)) // a guard that can do nothing
		guard := parentOf(t, pid)
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait()
		require.NoError(t, syscall.Kill(guard, syscall.SIGKILL))

		s := start(t, pglocal.Options{Dir: dir})
		require.NotEqual(t, pid, s.PID())
		require.Equal(t, "1", query(t, s.URL("postgres"), "SELECT 1::text"))
	})
}

func startChild(t *testing.T, dir string, ephemeral bool) (cmd *exec.Cmd, postmaster int) {
	t.Helper()
	cmd = exec.Command(os.Args[0]) //nolint:noctx // killed by the test
	cmd.Env = append(os.Environ(), "ATRIUM_TEST_CHILD="+dir)
	if ephemeral {
		cmd.Env = append(cmd.Env, "ATRIUM_TEST_EPHEMERAL=1")
	}
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	buf := make([]byte, 1000)
	n, err := out.Read(buf)
	require.NoError(t, err)
	text, ok := strings.CutPrefix(strings.TrimSpace(string(buf[:n])), "ready ")
	require.True(t, ok, text)
	postmaster, err = strconv.Atoi(text)
	require.NoError(t, err)
	return cmd, postmaster
}

func parentOf(t *testing.T, pid int) int {
	t.Helper()
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if os.IsNotExist(err) {
		t.Skip("needs /proc")
	}
	require.NoError(t, err)
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	parent, err := strconv.Atoi(fields[1])
	require.NoError(t, err)
	return parent
}
