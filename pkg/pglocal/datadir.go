package pglocal

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// binariesFor are those that were asked for, or that fit the data that is there.
func binariesFor(b Binaries, dir string) (Binaries, error) {
	if b.Dir != "" && b.Major == 0 {
		var err error
		if b, err = inspect(b.Dir); err != nil {
			return b, err
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, dataName, "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		if b.Dir != "" {
			return b, nil
		}
		return Find()
	}
	if err != nil {
		return Binaries{}, fmt.Errorf("read the data's version: %w", err)
	}
	major, err := strconv.Atoi(string(bytes.TrimSpace(text)))
	if err != nil {
		return Binaries{}, fmt.Errorf("read the data's version: %w", err)
	}
	if b.Major == major {
		return b, nil
	}
	found, err := find(major)
	if err != nil {
		return Binaries{}, fmt.Errorf("the data in %s is of PostgreSQL %d, whose binaries are not here; install them, or move the folder away: %w", dir, major, err)
	}
	return found, nil
}

// initialise makes the data, aside and then in one step, so that an interrupted one leaves nothing half made.
func initialise(ctx context.Context, opts Options, a account, dir string) error {
	data := filepath.Join(dir, dataName)
	if _, err := os.Stat(data); err == nil {
		return nil
	}
	begin := time.Now()
	half := data + ".new"
	if err := os.RemoveAll(half); err != nil {
		return fmt.Errorf("clear a half made database: %w", err)
	}
	locale := "C.UTF-8"
	if runtime.GOOS == "darwin" {
		locale = "en_US.UTF-8"
	}
	err := initdb(ctx, opts, a, half, "--locale="+locale)
	if err != nil { // a machine without that locale
		_ = os.RemoveAll(half)
		err = initdb(ctx, opts, a, half, "--no-locale")
	}
	if err != nil {
		return err
	}
	if err := os.Rename(half, data); err != nil {
		return fmt.Errorf("put the new database in place: %w", err)
	}
	opts.Logger.DebugContext(ctx, "made a new database folder", "dir", data, "took", time.Since(begin))
	return nil
}

func initdb(ctx context.Context, opts Options, a account, data, locale string) error {
	args := []string{
		"--pgdata=" + data, "--username=" + Superuser, "--pwfile=" + filepath.Join(filepath.Dir(data), passwordName), "--auth-local=trust", "--auth-host=scram-sha-256",
		"--encoding=UTF8", "--no-instructions", locale,
	}
	if opts.Volatile {
		args = append(args, "--no-sync")
	}
	cmd := exec.CommandContext(ctx, opts.Binaries.path("initdb"), args...) //nolint:gosec // found by Find
	cmd.Dir = filepath.Dir(data)
	cmd.Env = serverEnv()
	cmd.SysProcAttr = a.procAttr()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make the database: %w: %s", err, lastLine(out))
	}
	return nil
}

// password is the superuser's, made once and kept in a file that only the server's user (and root) can read.
func password(path string, a account) (string, error) {
	if b, err := os.ReadFile(path); err == nil && len(b) > 0 {
		return string(b), nil
	}
	p := rand.Text()
	if err := os.WriteFile(path, []byte(p), 0o600); err != nil {
		return "", fmt.Errorf("keep the database's password: %w", err)
	}
	return p, a.own(path)
}

// socketDir is the folder of the server's socket: in the database's folder when its path fits into an address.
func socketDir(run string, a account) (string, error) {
	if len(run) < maxSocketPath-len("/.s.PGSQL.65535") {
		return run, nil
	}
	dir, err := os.MkdirTemp("", "atrium-pg-")
	if err != nil {
		return "", fmt.Errorf("make a folder for the database's socket: %w", err)
	}
	return dir, a.own(dir)
}

// lockFile takes a lock that the kernel releases when this process ends.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock of the database's folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, ErrInUse
	}
	return f, nil
}

// unlockFile gives the lock back. To close the file would not be enough: a process that is being started at this moment has a copy of it
// until it executes its program, and the lock would live as long.
func unlockFile(f *os.File) {
	_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN)
	_ = f.Close()
}

// status reads postmaster.pid: the process id is its first line and the state its eighth.
func status(data string) (pid int, ready bool) {
	b, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return 0, false
	}
	lines := strings.Split(string(b), "\n")
	pid, err = strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil {
		return 0, false
	}
	return pid, len(lines) > 7 && strings.TrimSpace(lines[7]) == "ready"
}

// clearLeftover stops a server that a killed process has left on the data, and removes a pid file that belongs to no server:
// PostgreSQL itself refuses to start when the number in it has gone to another process, as it does after a reboot.
func clearLeftover(ctx context.Context, data string, logger *slog.Logger) error {
	pid, _ := status(data)
	if pid == 0 {
		return nil
	}
	for signal := syscall.SIGINT; serves(pid, data); signal = syscall.SIGQUIT {
		logger.WarnContext(ctx, "stopping a PostgreSQL that was left running", "pid", pid)
		if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stop a PostgreSQL that was left running (process %d): %w", pid, err)
		}
		for wait := time.Now().Add(10 * time.Second); serves(pid, data) && time.Now().Before(wait); {
			select {
			case <-ctx.Done():
				return fmt.Errorf("a PostgreSQL that was left running (process %d) does not stop: %w", pid, ctx.Err())
			case <-time.After(pollEvery):
			}
		}
	}
	if err := os.Remove(filepath.Join(data, "postmaster.pid")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove a stale pid file: %w", err)
	}
	return nil
}

// serves reports whether the process is a server on the data: a postmaster's working directory is its data folder.
func serves(pid int, data string) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	if runtime.GOOS != "linux" {
		out, err := exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(pid)).Output() //nolint:gosec,noctx // a number
		return err == nil && strings.Contains(string(out), data)
	}
	cwd, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/cwd")
	if err != nil {
		return false
	}
	target, err := filepath.EvalSymlinks(data)
	return err == nil && cwd == target
}
