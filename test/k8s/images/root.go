package main

import (
	"archive/tar"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// owner is a user and a group by number; the same number for both.
type owner int

const (
	rootUser     owner = 0
	postgresUser owner = 999 // as in the image of docker.io
	nonroot      owner = 65532
)

// entry is one file of an image.
type entry struct {
	header  tar.Header
	source  string // file of this machine that holds the content; empty: content does
	content []byte
}

// root collects the files of an image by their path in it. Scratch is a folder for what is built on the way.
type root struct {
	scratch string
	entries map[string]entry
}

func newRoot(scratch string) *root { return &root{scratch: scratch, entries: map[string]entry{}} }

// clean is the path as a tar archive spells it.
func clean(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }

func (r *root) put(name string, e entry) {
	e.header.Name = clean(name)
	if parent := path.Dir(e.header.Name); parent != "." {
		if _, there := r.entries[parent]; !there {
			r.dir(parent, 0o755, rootUser)
		}
	}
	e.header.Format = tar.FormatPAX
	r.entries[e.header.Name] = e
}

func (r *root) dir(name string, mode int64, who owner) {
	r.put(name, entry{header: tar.Header{Typeflag: tar.TypeDir, Mode: mode, Uid: int(who), Gid: int(who)}})
}

func (r *root) text(name, content string) {
	r.put(name, entry{header: tar.Header{Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(content))}, content: []byte(content)})
}

func (r *root) link(name, to string) {
	r.put(name, entry{header: tar.Header{Typeflag: tar.TypeSymlink, Mode: 0o777, Linkname: to}})
}

// file copies one file of this machine; links to it are followed.
func (r *root) file(name, source string) error {
	info, err := os.Stat(source)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file", source)
	}
	mode := int64(0o644)
	if info.Mode()&0o111 != 0 {
		mode = 0o755
	}
	r.put(name, entry{header: tar.Header{Typeflag: tar.TypeReg, Mode: mode, Size: info.Size()}, source: source})
	return nil
}

// tree copies a folder of this machine to the same place, but for the paths that skip names.
func (r *root) tree(folder string, skip func(path string) bool) error {
	return filepath.WalkDir(folder, func(at string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case skip != nil && skip(at) && d.IsDir():
			return filepath.SkipDir
		case skip != nil && skip(at), d.IsDir():
			return nil
		default:
			return r.file(at, at)
		}
	})
}

// write is the layer: every entry in the order of its path, so that a folder comes before what is in it, without times.
func (r *root) write(w io.Writer) error {
	archive := tar.NewWriter(w)
	names := make([]string, 0, len(r.entries))
	for name := range r.entries {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := r.entries[name].write(archive); err != nil {
			return fmt.Errorf("pack %s: %w", name, err)
		}
	}
	return archive.Close()
}

func (e entry) write(archive *tar.Writer) error {
	if err := archive.WriteHeader(&e.header); err != nil {
		return err
	}
	if e.source == "" {
		_, err := archive.Write(e.content)
		return err
	}
	file, err := os.Open(e.source)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	_, err = io.Copy(archive, file)
	return err
}
