// Command imagepins pins images by their digest: a tag is moved by whoever may push it, a digest names what was looked at.
//
//	imagepins gcr.io/distroless/static:nonroot
//	imagepins -values charts/atrium/values.yaml -digest auth=sha256:… -digest users=sha256:…
//
// The first form asks the registry and prints the reference with its digest. The second writes image.digests of the chart's values, and asks
// for each image of others that the values name: one without a digest gets it, one with a digest must be there. Each must have been built for
// amd64 and arm64. It prints what is pinned; nothing is written when something is wrong.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "imagepins:", err)
		os.Exit(1)
	}
}

// within bounds all questions to registries together.
const within = 2 * time.Minute

var errUsage = errors.New("give either -values or references of images")

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("imagepins", flag.ContinueOnError)
	file := flags.String("values", "", "values.yaml of the chart, to write the digests into")
	digests := map[string]string{}
	flags.Func("digest", "name=sha256:… of an image of the chart's own", func(text string) error {
		image, digest, _ := strings.Cut(text, "=")
		if _, err := name.NewDigest("example.com/x@" + digest); err != nil {
			return fmt.Errorf("%q is no digest", digest)
		}
		digests[image] = digest
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return err
	}
	if (*file == "") == (flags.NArg() == 0) {
		return errUsage
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if *file != "" {
		return pinValues(ctx, out, *file, digests)
	}
	for _, reference := range flags.Args() {
		pinned, err := pin(ctx, reference)
		if err != nil {
			return err
		}
		fmt.Fprintln(out, pinned)
	}
	return nil
}

func pinValues(ctx context.Context, out io.Writer, file string, digests map[string]string) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read the values: %w", err)
	}
	v, err := parse(raw)
	if err != nil {
		return err
	}
	if err := v.setDigests(digests); err != nil {
		return err
	}
	for _, at := range v.images() {
		pinned, err := pin(ctx, at.Value)
		if err != nil {
			return err
		}
		v.set(at, pinned)
		fmt.Fprintln(out, pinned)
	}
	if err := os.WriteFile(file, v.bytes(), 0o644); err != nil { //nolint:gosec // G306: a file of the repository
		return fmt.Errorf("write the values: %w", err)
	}
	for _, image := range v.own() {
		fmt.Fprintf(out, "%s@%s\n", image, digests[image])
	}
	return nil
}
