package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	goruntime "runtime"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// runtime is how a container of an image runs when nobody says otherwise.
type runtime struct {
	User                owner
	Path                string // of programs
	Env                 []string
	Entrypoint, Command []string
	WorkDir             string
	Ports               []int
}

// assemble makes an image of one layer, and returns the layer's unpacked size in bytes.
func assemble(files *root, run runtime) (image v1.Image, size int64, err error) {
	archive := filepath.Join(files.scratch, "layer.tar")
	if size, err = pack(files, archive); err != nil {
		return nil, 0, err
	}
	layer, err := tarball.LayerFromFile(archive)
	if err != nil {
		return nil, 0, err
	}
	image, err = mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return nil, 0, err
	}
	image, err = mutate.ConfigFile(image, configFile(image, run))
	return image, size, err
}

func pack(files *root, archive string) (size int64, err error) {
	file, err := os.Create(archive)
	if err != nil {
		return 0, err
	}
	if err := files.write(file); err != nil {
		_ = file.Close()
		return 0, err
	}
	if size, err = file.Seek(0, io.SeekEnd); err != nil {
		return 0, err
	}
	return size, file.Close()
}

// configFile says when the image was made nowhere: the same files give the same digest.
func configFile(image v1.Image, run runtime) *v1.ConfigFile {
	config := &v1.ConfigFile{Architecture: goruntime.GOARCH, OS: "linux"}
	if before, err := image.ConfigFile(); err == nil {
		config.RootFS = before.RootFS
	}
	ports := map[string]struct{}{}
	for _, port := range run.Ports {
		ports[fmt.Sprintf("%d/tcp", port)] = struct{}{}
	}
	config.Config = v1.Config{
		User: fmt.Sprintf("%d:%d", run.User, run.User), Env: append([]string{"PATH=" + run.Path}, run.Env...),
		Entrypoint: run.Entrypoint, Cmd: run.Command, WorkingDir: run.WorkDir, ExposedPorts: ports,
	}
	return config
}
