package main

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Size is in bytes.
type Size struct{ Pulled, Unpacked int64 }

// descriptor, and a document that is an index (manifests) or an image (layers): the parts of the OCI image format that are read.
// https://github.com/opencontainers/image-spec/blob/main/manifest.md
type descriptor struct {
	Digest string `json:"digest"`
	Size   int64  `json:"size"`
}

type document struct {
	Manifests []descriptor `json:"manifests"`
	Layers    []descriptor `json:"layers"`
}

var errEmpty = errors.New("there is no image in it")

// measure returns the size of the largest image of a layout: the sum of its layers.
func measure(folder string) (Size, error) {
	index, err := read(filepath.Join(folder, "index.json"))
	if err != nil {
		return Size{}, err
	}
	largest, err := largestOf(folder, index)
	if err == nil && largest == (Size{}) {
		return Size{}, errEmpty
	}
	return largest, err
}

func largestOf(folder string, d document) (Size, error) {
	var largest Size
	for _, manifest := range d.Manifests {
		inner, err := read(blob(folder, manifest))
		if err != nil {
			return Size{}, err
		}
		size, err := largestOf(folder, inner)
		if err != nil {
			return Size{}, err
		}
		if size.Pulled > largest.Pulled {
			largest = size
		}
	}
	own, err := layers(folder, d.Layers)
	if own.Pulled > largest.Pulled {
		largest = own
	}
	return largest, err
}

func layers(folder string, layers []descriptor) (Size, error) {
	var sum Size
	for _, layer := range layers {
		unpacked, err := unpack(blob(folder, layer))
		if err != nil {
			return Size{}, fmt.Errorf("unpack layer %s: %w", layer.Digest, err)
		}
		sum.Pulled, sum.Unpacked = sum.Pulled+layer.Size, sum.Unpacked+unpacked
	}
	return sum, nil
}

// unpack counts the bytes of a layer's archive.
func unpack(path string) (int64, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { _ = file.Close() }()
	archive, err := gzip.NewReader(file)
	if err != nil {
		return 0, err
	}
	return io.Copy(io.Discard, archive) //nolint:gosec // G110: nothing is kept of it
}

func blob(folder string, d descriptor) string {
	algorithm, hash, _ := strings.Cut(d.Digest, ":")
	return filepath.Join(folder, "blobs", algorithm, hash)
}

func read(path string) (document, error) {
	var d document
	raw, err := os.ReadFile(path)
	if err != nil {
		return d, err
	}
	return d, json.Unmarshal(raw, &d)
}
