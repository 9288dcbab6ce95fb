package pglocal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// guardScript runs its arguments until they end by themselves or stdin closes; see doc.go. Background commands of sh read from
// /dev/null, hence descriptor 3. The watcher dies with the guard so that it never signals a number that has a new owner.
const guardScript = `
exec 3<&0
"$@" </dev/null 3<&- >&2 &
pid=$!
( cat <&3; kill -INT $pid ) >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait $pid
rc=$?
kill $watcher 2>/dev/null
[ -n "$ATRIUM_REMOVE" ] && cd / && rm -rf -- "$ATRIUM_REMOVE"
exit $rc
`

// guard is the shell around the server. It needs no goroutine: whether it lives is read from a pipe that it holds open.
type guard struct {
	cmd   *exec.Cmd
	stdin *os.File // the server ends when it closes
	alive *os.File // end of file once the guard has ended
}

func startGuard(a account, logFile *os.File, dir, remove string, args []string) (*guard, error) {
	in, stdin, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe: %w", err)
	}
	defer func() { _ = in.Close() }()
	alive, out, err := os.Pipe()
	if err != nil {
		_ = stdin.Close()
		return nil, fmt.Errorf("make a pipe: %w", err)
	}
	defer func() { _ = out.Close() }()
	cmd := exec.Command("/bin/sh", append([]string{"-c", guardScript, "atrium-postgres"}, args...)...) //nolint:gosec,noctx // outlives any context; ends with the pipe
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, logFile
	cmd.Dir = dir
	cmd.Env = append(serverEnv(), "ATRIUM_REMOVE="+remove)
	cmd.SysProcAttr = a.procAttr()
	if err := cmd.Start(); err != nil {
		_, _ = stdin.Close(), alive.Close()
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	return &guard{cmd: cmd, stdin: stdin, alive: alive}, nil
}

// serverEnv keeps nothing of ours: no secrets, no PG* variables, no locale that the machine does not have.
func serverEnv() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
}

// ended waits for the end of the guard, at most for d.
func (g *guard) ended(d time.Duration) bool {
	_ = g.alive.SetReadDeadline(time.Now().Add(d))
	_, err := io.Copy(io.Discard, g.alive)
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

// release frees what belongs to a guard that has ended.
func (g *guard) release() {
	_, _ = g.stdin.Close(), g.alive.Close()
	_ = g.cmd.Wait() // its exit status is the server's, which the log explains
}
