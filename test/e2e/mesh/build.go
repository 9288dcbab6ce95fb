package mesh

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/atrium-mesh/atrium/pkg/config"
)

// programs are built from these folders, each into a file of the folder's name.
var programs = []string{
	"./cmd/atrium", "./services/auth/cmd/auth", "./services/users/cmd/users", "./services/notifications/cmd/notifications",
	"./services/gateway/cmd/gateway",
}

// built makes the programs once for all tests of a process. Go's build cache makes a second time quick.
var built = sync.OnceValues(build)

// program is the path of a program, which is built when nobody has asked before.
func program(t testing.TB, name string) string {
	t.Helper()
	dir, err := built()
	if err != nil {
		t.Fatalf("mesh: %v", err)
	}
	return filepath.Join(dir, name)
}

// build makes every program, unless ATRIUM_E2E_BIN says where they are. It does so with the flags of scripts/build, so that `make e2e`
// compiles nothing twice.
func build() (string, error) {
	if dir := config.Environ()["ATRIUM_E2E_BIN"]; dir != "" {
		return dir, nil
	}
	root, err := workspace()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("atrium-e2e-%d", os.Getuid()))
	flags := []string{"build", "-trimpath", "-ldflags=-s -w"}
	environment := append(os.Environ(), "CGO_ENABLED=0")
	if config.Environ()["ATRIUM_E2E_RACE"] != "" {
		dir += "-race"
		flags = append(flags, "-race")
		environment = append(environment, "CGO_ENABLED=1")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make the folder of the programs: %w", err)
	}
	var output bytes.Buffer
	command := exec.CommandContext(context.Background(), "go", append(append(flags, "-o", dir+"/"), programs...)...)
	command.Dir, command.Env, command.Stdout, command.Stderr = root, environment, &output, &output
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("build the programs: %w\n%s", err, output.Bytes())
	}
	return dir, nil
}

// workspace is the root of the repository: the folder above with go.work.
func workspace() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("no go.work above %s", dir)
		}
		dir = parent
	}
}
