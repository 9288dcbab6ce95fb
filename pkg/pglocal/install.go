package pglocal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	embedded "github.com/fergusstrange/embedded-postgres"
)

const howToInstall = `PostgreSQL %d or newer is needed, and could not be installed by itself. Either
  Debian, Ubuntu   sudo apt-get install postgresql
  macOS            brew install postgresql@17
  Fedora           sudo dnf install postgresql-server
or set PG_BIN to the folder that holds postgres and initdb`

// FindOrInstall is Find, and where there is nothing it installs PostgreSQL: with apt-get as root or through sudo, with Homebrew, or by
// downloading it into the user's cache folder. When all of that fails the error says what a person can do.
func FindOrInstall(ctx context.Context, logger *slog.Logger) (Binaries, error) {
	b, err := Find() //nolint:contextcheck // bounds itself
	if !errors.Is(err, ErrNotFound) {
		return b, err
	}
	failures := []error{err}
	for _, way := range []struct {
		name    string
		offered func() bool
		install func(context.Context) error
	}{
		{"apt-get", hasAptGet, aptGet},
		{"Homebrew", hasBrew, brew},
		{"download", func() bool { return true }, download},
	} {
		if !way.offered() {
			continue
		}
		logger.InfoContext(ctx, "there is no PostgreSQL here; installing it", "with", way.name)
		if err := way.install(ctx); err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", way.name, err))
			continue
		}
		if b, err := Find(); err == nil { //nolint:contextcheck // bounds itself
			return b, nil
		}
		failures = append(failures, fmt.Errorf("%s: installed nothing that is new enough", way.name))
	}
	return Binaries{}, fmt.Errorf(howToInstall+":\n%w", MinMajor, errors.Join(failures...))
}

func hasAptGet() bool {
	_, err := exec.LookPath("apt-get")
	if err != nil || runtime.GOOS != "linux" {
		return false
	}
	_, err = exec.LookPath("sudo")
	return os.Geteuid() == 0 || err == nil
}

func aptGet(ctx context.Context) error {
	if err := asRoot(ctx, "apt-get", "update", "-q"); err != nil {
		return err
	}
	return asRoot(ctx, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-q", "-y", "--no-install-recommends", "postgresql")
}

// asRoot goes through sudo, which asks for a password only where a person can answer.
func asRoot(ctx context.Context, args ...string) error {
	if os.Geteuid() == 0 {
		return run(ctx, args...)
	}
	sudo := []string{"sudo"}
	if info, err := os.Stdin.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		sudo = append(sudo, "--non-interactive")
	}
	return run(ctx, append(sudo, args...)...)
}

func hasBrew() bool {
	_, err := exec.LookPath("brew")
	return err == nil && os.Geteuid() != 0 // Homebrew refuses root
}

func brew(ctx context.Context) error { return run(ctx, "brew", "install", "postgresql@17") }

func run(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // fixed commands
	cmd.Stdin = os.Stdin
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, lastLine(out))
	}
	return nil
}

func lastLine(out []byte) string {
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	return string(lines[len(lines)-1])
}

func downloadDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a cache folder: %w", err)
	}
	return filepath.Join(cache, "atrium", "postgres"), nil
}

// download lets embedded-postgres fetch and unpack its binaries. The library can only do that on the way to a running server, whose
// data is thrown away at once; as root that server does not start, which is no matter once the binaries are there.
func download(ctx context.Context) error {
	dir, err := downloadDir()
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "atrium-download-")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	port, err := freePort(ctx)
	if err != nil {
		return err
	}
	server := embedded.NewDatabase(embedded.DefaultConfig().Version(embedded.V17).Port(port).BinariesPath(dir).
		CachePath(filepath.Join(dir, "archive")).RuntimePath(filepath.Join(scratch, "run")).DataPath(filepath.Join(scratch, "data")).
		Logger(io.Discard))
	started := server.Start()
	if started == nil {
		return server.Stop()
	}
	if _, err := inspect(filepath.Join(dir, "bin")); err != nil { //nolint:contextcheck // bounds itself
		return started
	}
	return nil
}

func freePort(ctx context.Context) (uint32, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = l.Close() }()
	return uint32(l.Addr().(*net.TCPAddr).Port), nil //nolint:gosec,forcetypeassert // a TCP port
}
