package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "images:", err)
		os.Exit(1)
	}
}

// recipe says what goes into an image, and how it runs.
type recipe func(context.Context, *root) (runtime, error)

func recipes() map[string]recipe {
	return map[string]recipe{
		"nats":     nats,
		"postgres": postgres,
		"probe":    probe,
		"redis":    redis,
	}
}

// run makes the images that args name, all when they name none, and prints a reference with its digest for each.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("images", flag.ContinueOnError)
	registry := flags.String("registry", "localhost:5001/atrium-test", "registry and folder to push to")
	tag := flags.String("tag", "test", "tag of each image")
	if err := flags.Parse(args); err != nil {
		return err
	}
	known := recipes()
	names := flags.Args()
	if len(names) == 0 {
		names = slices.Collect(maps.Keys(known))
	}
	for _, n := range names {
		if known[n] == nil {
			return fmt.Errorf("no recipe for %q: there are %s", n, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
	}
	slices.Sort(names)
	for _, n := range names {
		if err := push(ctx, out, *registry+"/"+n+":"+*tag, known[n]); err != nil {
			return fmt.Errorf("%s: %w", n, err)
		}
	}
	return nil
}

func push(ctx context.Context, out io.Writer, reference string, build recipe) (err error) {
	tag, err := name.NewTag(reference)
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "atrium-images-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	files := newRoot(scratch)
	config, err := build(ctx, files)
	if err != nil {
		return err
	}
	image, size, err := assemble(files, config)
	if err != nil {
		return err
	}
	if err := remote.Write(tag, image, remote.WithContext(ctx)); err != nil {
		return err
	}
	digest, err := image.Digest()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s@%s  %d MiB\n", reference, digest, size>>20)
	return err
}
