// Package doctor owns the checks of `atrium doctor`: whether this machine can run the mesh, and what to do when not.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/local"
	"github.com/atrium-mesh/atrium/pkg/pglocal"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
)

// Status is the outcome of a check.
type Status string

// The outcomes. A warning does not keep the mesh from running.
const (
	OK      Status = "ok"
	Warning Status = "warning"
	Failed  Status = "failed"
)

// Check is what was found about one thing.
type Check struct {
	Name   string `json:"name"`
	Status Status `json:"status"`
	Found  string `json:"found"`
	Advice string `json:"advice,omitempty"` // what to do, when it is not ok
}

// Config says what `atrium up` would be asked for.
type Config struct {
	Listen string
	Data   string
}

// leastFree is the disk space below which databases and streams get into trouble soon.
const leastFree = 1 << 30

// Run makes all checks. It changes nothing, but for making and removing a file to see whether it can.
func Run(ctx context.Context, cfg Config) []Check {
	held := folderCheck(cfg.Data)
	return []Check{versionCheck(), postgresCheck(), held, diskCheck(cfg.Data), portCheck(ctx, cfg, held), hostCheck(ctx), accountCheck()} //nolint:contextcheck // finding PostgreSQL takes none
}

// Healthy says that nothing keeps the mesh from running.
func Healthy(checks []Check) bool {
	for _, c := range checks {
		if c.Status == Failed {
			return false
		}
	}
	return true
}

func versionCheck() Check {
	return Check{Name: "Atrium", Status: OK, Found: fmt.Sprintf("%s, %s, %s/%s, %d CPUs",
		telemetry.ProgramVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())}
}

func postgresCheck() Check {
	c := Check{Name: "PostgreSQL", Status: OK}
	binaries, err := pglocal.Find()
	switch {
	case errors.Is(err, pglocal.ErrNotFound):
		c.Status, c.Found = Warning, fmt.Sprintf("no server of version %d or newer", pglocal.MinMajor)
		c.Advice = "`atrium up` tries to install one. To do it yourself: `apt-get install postgresql` (Debian, Ubuntu) or `brew install postgresql@17` " +
			"(macOS); or set PG_BIN to the folder that holds postgres and initdb"
	case err != nil:
		c.Status, c.Found, c.Advice = Failed, err.Error(), "set PG_BIN to a folder that holds postgres and initdb, or unset it"
	default:
		c.Found = fmt.Sprintf("version %d in %s", binaries.Major, binaries.Dir)
	}
	return c
}

func folderCheck(data string) Check {
	c := Check{Name: "Data folder", Status: OK}
	path, err := filepath.Abs(data)
	if err != nil {
		path = data
	}
	if _, err := os.Stat(path); err != nil {
		c.Found = path + ", which the first start makes"
		return writable(c, nearest(path))
	}
	folder, err := local.OpenFolder(path)
	if inUse, ok := errors.AsType[*local.InUseError](err); ok {
		c.Found = fmt.Sprintf("%s, in use by %s", path, inUse.Holder)
		return c
	}
	if err != nil {
		c.Status, c.Found, c.Advice = Failed, err.Error(), "choose a folder that you can write to with --data"
		return c
	}
	c.Found = path + ", which nobody uses right now"
	if err := folder.Close(); err != nil {
		c.Status, c.Found = Failed, err.Error()
	}
	return c
}

// nearest is the closest folder above path that exists.
func nearest(path string) string {
	for {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return path
		}
		parent := filepath.Dir(path)
		if parent == path {
			return path
		}
		path = parent
	}
}

func writable(c Check, dir string) Check {
	file, err := os.CreateTemp(dir, ".atrium-doctor-*")
	if err == nil {
		err = errors.Join(file.Close(), os.Remove(file.Name()))
	}
	if err != nil {
		c.Status, c.Found, c.Advice = Failed, err.Error(), "choose a folder that you can write to with --data"
	}
	return c
}

func diskCheck(data string) Check {
	c := Check{Name: "Disk", Status: OK}
	path, err := filepath.Abs(data)
	if err != nil {
		path = "."
	}
	var stat syscall.Statfs_t
	if err := syscall.Statfs(nearest(path), &stat); err != nil {
		c.Status, c.Found = Warning, err.Error()
		return c
	}
	free := stat.Bavail * uint64(stat.Bsize) //nolint:gosec // a block size is positive
	c.Found = fmt.Sprintf("%.1f GiB free", float64(free)/(1<<30))
	if free < leastFree {
		c.Status, c.Advice = Failed, "make room: databases and streams need at least 1 GiB"
	}
	return c
}

func portCheck(ctx context.Context, cfg Config, folder Check) Check {
	c := Check{Name: "Port", Status: OK, Found: cfg.Listen + " is free"}
	err := local.CheckListen(ctx, cfg.Listen)
	if err == nil {
		return c
	}
	c.Status, c.Found, c.Advice = Failed, err.Error(), "stop what listens there, or choose another with --listen"
	if running, err := local.ReadRunning(cfg.Data); err == nil && running.Listen == cfg.Listen && folder.Status == OK {
		c.Status, c.Found, c.Advice = OK, fmt.Sprintf("%s is what the running mesh listens on", cfg.Listen), ""
	}
	return c
}

const lookupLimit = 3 * time.Second

func hostCheck(ctx context.Context) Check {
	c := Check{Name: "localhost", Status: OK}
	ctx, cancel := context.WithTimeout(ctx, lookupLimit)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(ctx, "localhost")
	if err != nil {
		c.Status, c.Found, c.Advice = Failed, err.Error(), "put a line `127.0.0.1 localhost` into /etc/hosts"
		return c
	}
	c.Found = fmt.Sprintf("is %v", addresses)
	return c
}

func accountCheck() Check {
	if os.Geteuid() == 0 {
		return Check{Name: "Account", Status: OK, Found: "root; PostgreSQL, which refuses to be, runs as somebody else"}
	}
	return Check{Name: "Account", Status: OK, Found: fmt.Sprintf("user id %d", os.Geteuid())}
}
