package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseLDD(t *testing.T) {
	t.Parallel()
	found, err := parseLDD("psql", "\tlinux-vdso.so.1 (0x00007ffd)\n\tlibpq.so.5 => /lib/x86_64-linux-gnu/libpq.so.5 (0x00007f1)\n\t/lib64/ld-linux-x86-64.so.2 (0x00007f2)\n")
	require.NoError(t, err)
	require.Equal(t, []string{"/lib/x86_64-linux-gnu/libpq.so.5", "/lib64/ld-linux-x86-64.so.2"}, found)
	_, err = parseLDD("psql", "\tlibpq.so.5 => not found\n")
	require.ErrorContains(t, err, "psql lacks a library")
}

// TestLayer has each folder before what is in it, and is the same whatever the order in which files were put in.
func TestLayer(t *testing.T) {
	t.Parallel()
	var one, other bytes.Buffer
	a, b := newRoot(t.TempDir()), newRoot(t.TempDir())
	a.text("etc/passwd", "x")
	a.link("bin", "usr/bin")
	b.link("/bin", "usr/bin")
	b.text("/etc/passwd", "x")
	require.NoError(t, a.write(&one))
	require.NoError(t, b.write(&other))
	require.Equal(t, one.Bytes(), other.Bytes())

	var names []string
	for archive := tar.NewReader(&one); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		require.Zero(t, header.ModTime.Unix())
		names = append(names, header.Name)
	}
	require.Equal(t, []string{"bin", "etc", "etc/passwd"}, names)
}

func TestUnknownRecipe(t *testing.T) {
	t.Parallel()
	require.ErrorContains(t, run(t.Context(), []string{"mysql"}, io.Discard), `no recipe for "mysql"`)
}
