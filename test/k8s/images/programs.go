package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// system is what every image of Debian's programs has: the folders as Debian merges them, users, and the C.UTF-8 locale.
func (r *root) system() error {
	for _, name := range []string{"bin", "sbin", "lib", "lib64"} {
		r.dir("usr/"+name, 0o755, rootUser)
		r.link(name, "usr/"+name)
	}
	for _, name := range []string{"tmp", "var/tmp"} {
		r.dir(name, 0o1777, rootUser)
	}
	r.users()
	r.link("var/run", "/run")
	r.dir("run", 0o755, rootUser)
	return r.tree("/usr/lib/locale/C.utf8", nil)
}

// users are the ones that the images of docker.io have, and the one that the chart's own images run as.
func (r *root) users() {
	r.text("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"+
		"postgres:x:999:999:PostgreSQL:/var/lib/postgresql:/bin/bash\n"+
		"nonroot:x:65532:65532:nonroot:/home/nonroot:/bin/sh\n")
	r.text("etc/group", "root:x:0:\npostgres:x:999:\nnonroot:x:65532:\n")
	r.text("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")
	r.dir("home/nonroot", 0o700, nonroot)
}

// programs copies programs of this machine to the same places, with the shared libraries that they load.
func (r *root) programs(ctx context.Context, paths ...string) error {
	for _, p := range paths {
		if err := r.program(ctx, p, p); err != nil {
			return err
		}
	}
	return nil
}

// program copies one program or library from source to name, with the shared libraries that it loads.
func (r *root) program(ctx context.Context, name, source string) error {
	if err := r.file(merged(name), source); err != nil {
		return fmt.Errorf("pack %s: %w", source, err)
	}
	libraries, err := libraries(ctx, source)
	if err != nil {
		return err
	}
	for _, library := range libraries {
		if err := r.file(merged(library), library); err != nil {
			return fmt.Errorf("pack %s, which %s loads: %w", library, source, err)
		}
	}
	return nil
}

// merged is a path with its folder resolved (/lib is /usr/lib), the file's own name kept: it is the name that is loaded.
func merged(name string) string {
	folder, err := filepath.EvalSymlinks(filepath.Dir(name))
	if err != nil { // a folder that only the image has
		return name
	}
	return filepath.Join(folder, filepath.Base(name))
}

var loaded = regexp.MustCompile(`(?m)^\s*(?:\S+ => )?(/\S+) \(0x[0-9a-f]+\)$`)

// libraries are the shared libraries of a program and of its libraries, the loader included.
func libraries(ctx context.Context, program string) ([]string, error) {
	answer, err := exec.CommandContext(ctx, "ldd", program).CombinedOutput()
	if err != nil {
		if strings.Contains(string(answer), "not a dynamic executable") {
			return nil, nil
		}
		return nil, fmt.Errorf("ldd %s: %w: %s", program, err, answer)
	}
	return parseLDD(program, string(answer))
}

// parseLDD reads what ldd prints.
func parseLDD(program, answer string) ([]string, error) {
	if strings.Contains(answer, "not found") {
		return nil, fmt.Errorf("%s lacks a library: %s", program, answer)
	}
	var found []string
	for _, match := range loaded.FindAllStringSubmatch(answer, -1) {
		found = append(found, match[1])
	}
	return found, nil
}
