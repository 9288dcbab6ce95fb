// Command imagesizes prints how large images are, as they are pulled (compressed) and as they lie on a node (unpacked), and fails when one is
// larger than allowed. It reads OCI layouts; of an image for several platforms, the largest counts.
//
//	imagesizes -limit=40 bin/images/auth bin/images/users
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	limit := flag.Int64("limit", 40, "the most that an image may weigh as it is pulled, in MiB")
	flag.Parse()
	if err := run(os.Stdout, *limit<<20, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "imagesizes:", err)
		os.Exit(1)
	}
}

var errTooLarge = errors.New("an image is too large")

// run prints a table of the layouts in the folders.
func run(w io.Writer, limit int64, folders []string) error {
	fmt.Fprintf(w, "%-14s %10s %10s\n", "image", "pulled", "unpacked")
	large := false
	for _, folder := range folders {
		size, err := measure(folder)
		if err != nil {
			return fmt.Errorf("measure %s: %w", folder, err)
		}
		verdict := ""
		if size.Pulled > limit {
			large, verdict = true, fmt.Sprintf("  more than %d MiB", limit>>20)
		}
		fmt.Fprintf(w, "%-14s %6.1f MiB %6.1f MiB%s\n", filepath.Base(folder), mib(size.Pulled), mib(size.Unpacked), verdict)
	}
	if large {
		return errTooLarge
	}
	return nil
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }
