package arch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
)

// root is the module path that every module of the workspace starts with.
const root = "github.com/atrium-mesh/atrium/"

// Package is what `go list` says of one package of the workspace.
type Package struct {
	ImportPath   string
	Name         string
	Dir          string
	Doc          string   // the first sentence of the package comment
	GoFiles      []string // without tests
	TestGoFiles  []string
	XTestGoFiles []string
	Imports      []string // direct, without tests
	TestImports  []string
	XTestImports []string
	Deps         []string // all, without tests
}

// Path is the import path below the workspace's root: "services/auth/api".
func (p Package) Path() string { return strings.TrimPrefix(p.ImportPath, root) }

// Workspace is the folder of go.work and the modules that it lists.
type Workspace struct {
	Dir     string
	Modules []Module
}

// Module is one go.mod of the workspace.
type Module struct {
	Dir  string // relative to the workspace
	File *modfile.File
}

// Open reads the go.work above the current folder and every go.mod it lists.
func Open() (*Workspace, error) {
	dir, err := findUp("go.work")
	if err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(filepath.Join(dir, "go.work"))
	if err != nil {
		return nil, fmt.Errorf("read go.work: %w", err)
	}
	work, err := modfile.ParseWork("go.work", raw, nil)
	if err != nil {
		return nil, fmt.Errorf("parse go.work: %w", err)
	}
	w := &Workspace{Dir: dir}
	for _, use := range work.Use {
		name := filepath.Join(dir, use.Path, "go.mod")
		raw, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read go.mod: %w", err)
		}
		file, err := modfile.Parse(name, raw, nil)
		if err != nil {
			return nil, fmt.Errorf("parse go.mod: %w", err)
		}
		w.Modules = append(w.Modules, Module{Dir: filepath.Clean(use.Path), File: file})
	}
	return w, nil
}

// Packages lists every package of every module.
func (w *Workspace) Packages(ctx context.Context) ([]Package, error) {
	args := []string{"list", "-json=ImportPath,Name,Dir,Doc,GoFiles,TestGoFiles,XTestGoFiles,Imports,TestImports,XTestImports,Deps"}
	for _, m := range w.Modules {
		args = append(args, "./"+filepath.ToSlash(m.Dir)+"/...")
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = w.Dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w: %s", err, stderr.String())
	}
	var packages []Package
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p Package
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		packages = append(packages, p)
	}
}

func findUp(name string) (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find %s: %w", name, err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("find %s: not in this folder or above it", name)
		}
		dir = parent
	}
}
