package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const (
	natsModule  = "github.com/nats-io/nats-server/v2"
	probeModule = "github.com/atrium-mesh/atrium/test/k8s/probe"
)

// nats builds the server of the module that go.mod names; it needs nothing beside it, and brings no shell.
func nats(ctx context.Context, r *root) (runtime, error) {
	if err := r.goProgram(ctx, natsModule, "nats-server"); err != nil {
		return runtime{}, err
	}
	r.dir("data", 0o755, nonroot)
	return runtime{User: nonroot, Path: "/usr/local/bin", Entrypoint: []string{"/usr/local/bin/nats-server"}, WorkDir: "/", Ports: []int{4222, 6222, 8222}}, nil
}

// probe is the program that says what can be reached from a pod.
func probe(ctx context.Context, r *root) (runtime, error) {
	err := r.goProgram(ctx, probeModule, "probe")
	return runtime{User: nonroot, Path: "/usr/local/bin", Entrypoint: []string{"/usr/local/bin/probe"}, WorkDir: "/"}, err
}

// goProgram builds a static program and puts it where images have theirs.
func (r *root) goProgram(ctx context.Context, module, name string) error {
	built := filepath.Join(r.scratch, name)
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", built, module)
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w: %s", module, err, output)
	}
	if err := r.file("usr/local/bin/"+name, built); err != nil {
		return err
	}
	r.users()
	r.dir("tmp", 0o1777, rootUser)
	return nil
}

// redis is one program, which Debian keeps under the name of its second use: it looks at the name that it is called by.
func redis(ctx context.Context, r *root) (runtime, error) {
	server, err := exec.LookPath("redis-server")
	if err != nil {
		server, err = exec.LookPath("redis-check-rdb")
	}
	if err != nil {
		return runtime{}, errors.New("Redis is not installed: run `scripts/deps redis`") //nolint:staticcheck // ST1005: a name
	}
	if err := errors.Join(r.system(), r.program(ctx, "/usr/bin/redis-server", server), r.program(ctx, "/usr/bin/redis-cli", "/usr/bin/redis-cli"),
		r.shell(ctx)); err != nil {
		return runtime{}, err
	}
	r.dir("data", 0o1777, postgresUser)
	return runtime{User: postgresUser, Path: debianPath, Command: []string{"redis-server"}, WorkDir: "/data", Ports: []int{6379}}, nil
}

const debianPath = "/usr/local/bin:/usr/bin:/bin"

// shell is bash, and what start scripts call.
func (r *root) shell(ctx context.Context) error {
	tools := strings.FieldsSeq("bash basename cat chmod chown cp cut date dirname env false grep head id ln ls mkdir mktemp mv od rm sed seq sleep sort " +
		"stat sync tail test touch tr true wc")
	for tool := range tools {
		path, err := exec.LookPath(tool)
		if err != nil {
			return err
		}
		if err := r.program(ctx, "/usr/bin/"+tool, path); err != nil {
			return err
		}
	}
	r.link("usr/bin/sh", "bash")
	return nil
}

// postgres packs the newest major version that is installed: its programs, extensions and share folder, which keep their places.
func postgres(ctx context.Context, r *root) (runtime, error) {
	folders, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(folders) == 0 {
		return runtime{}, errors.New("PostgreSQL is not installed: run `scripts/deps postgres`")
	}
	slices.Sort(folders)
	home := filepath.Dir(filepath.Dir(folders[len(folders)-1]))
	if err := errors.Join(r.system(), r.shell(ctx), r.postgresPrograms(ctx, home), r.extensions(ctx, filepath.Join(home, "lib")),
		r.tree("/usr/share/postgresql/"+filepath.Base(home), func(path string) bool { return filepath.Base(path) == "man" }),
		r.tree("/usr/share/zoneinfo", func(path string) bool { return filepath.Base(path) == "right" || filepath.Base(path) == "posix" }),
	); err != nil {
		return runtime{}, err
	}
	r.dir("run/postgresql", 0o1777, postgresUser)
	r.dir("var/lib/postgresql/data", 0o1777, postgresUser)
	return runtime{
		User: postgresUser, Path: home + "/bin:" + debianPath, Command: []string{"postgres"}, WorkDir: "/",
		Env: []string{"LANG=C.UTF-8", "PGDATA=/var/lib/postgresql/data"}, Ports: []int{5432},
	}, nil
}

func (r *root) postgresPrograms(ctx context.Context, home string) error {
	for _, name := range []string{"createdb", "initdb", "pg_basebackup", "pg_ctl", "pg_dump", "pg_dumpall", "pg_isready", "pg_restore", "postgres", "psql"} {
		if err := r.programs(ctx, filepath.Join(home, "bin", name)); err != nil {
			return err
		}
	}
	return nil
}

// extensions are the modules that the server loads. Compilation of queries (LLVM) is left out: it is larger than all the rest.
func (r *root) extensions(ctx context.Context, folder string) error {
	modules, err := filepath.Glob(filepath.Join(folder, "*.so"))
	if err != nil {
		return err
	}
	for _, module := range modules {
		if filepath.Base(module) == "llvmjit.so" {
			continue
		}
		if err := r.programs(ctx, module); err != nil {
			return err
		}
	}
	return nil
}
