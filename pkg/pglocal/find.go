package pglocal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// MinMajor is the oldest PostgreSQL that Atrium runs on.
const MinMajor = 15

// ErrNotFound means that there is no PostgreSQL server of MinMajor or newer on this machine.
var ErrNotFound = errors.New("no PostgreSQL server binaries found")

// Binaries are the programs of one PostgreSQL installation.
type Binaries struct {
	Dir   string // holds postgres and initdb
	Major int    // 15
}

// Find looks for the newest PostgreSQL server on this machine: in $PG_BIN (which wins), $PATH, where Debian, Red Hat, Homebrew and
// Postgres.app put it, and where FindOrInstall has downloaded it.
func Find() (Binaries, error) { return find(0) }

// find looks for one major version, or any when it is 0.
func find(major int) (Binaries, error) {
	if dir := os.Getenv("PG_BIN"); dir != "" {
		b, err := inspect(dir)
		if err != nil {
			return Binaries{}, fmt.Errorf("PG_BIN: %w", err)
		}
		if fits(b, major) {
			return b, nil
		}
	}
	var found []Binaries
	for _, dir := range candidates() {
		if b, err := inspect(dir); err == nil && fits(b, major) {
			found = append(found, b)
		}
	}
	if len(found) == 0 {
		return Binaries{}, ErrNotFound
	}
	// The first of the newest: candidates come in order of preference.
	return slices.MaxFunc(found, func(a, b Binaries) int { return cmp.Compare(a.Major, b.Major) }), nil
}

func fits(b Binaries, major int) bool { return b.Major >= MinMajor && (major == 0 || b.Major == major) }

func candidates() []string {
	var dirs []string
	if path, err := exec.LookPath("postgres"); err == nil {
		if target, err := filepath.EvalSymlinks(path); err == nil {
			dirs = append(dirs, filepath.Dir(target))
		}
	}
	patterns := []string{
		"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/libexec/postgresql*", "/usr/local/pgsql/bin",
		"/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin", "/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
		"/Applications/Postgres.app/Contents/Versions/*/bin",
	}
	if cache, err := downloadDir(); err == nil {
		patterns = append(patterns, filepath.Join(cache, "bin"))
	}
	for _, pattern := range patterns {
		matches, _ := filepath.Glob(pattern) // the patterns are well-formed
		dirs = append(dirs, matches...)
	}
	return dirs
}

var versionText = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// inspect checks that dir holds a server, and asks it for its version.
func inspect(dir string) (Binaries, error) {
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
		return Binaries{}, fmt.Errorf("%s has no initdb: %w", dir, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output() //nolint:gosec // the path is the point
	if err != nil {
		return Binaries{}, fmt.Errorf("ask %s for its version: %w", dir, err)
	}
	match := versionText.FindSubmatch(out)
	if match == nil {
		return Binaries{}, fmt.Errorf("%s does not say its version", dir)
	}
	major, err := strconv.Atoi(string(match[1]))
	return Binaries{Dir: dir, Major: major}, err
}

func (b Binaries) path(program string) string { return filepath.Join(b.Dir, program) }
