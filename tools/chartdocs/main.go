// Command chartdocs makes values.schema.json and the table in README.md of a Helm chart from the comments of its values.yaml.
//
//	chartdocs [-check] charts/atrium
//
// The comment right above a key says what the value is. Lines of it that begin with + say more:
//
//	+section=Title      this key belongs to another section of the table; on a line of its own at the top level, all that follow do
//	+type=integer       the type, where the default does not show it; object: whatever is in it is passed on
//	+nullable           null is allowed
//	+enum=a,b           the values that there are
//	+pattern=^x         what a text must match
//	+minimum=1          the least number
//	+items=string       what is in a list: string, integer or object
//	+values=string      a map of texts
//	+like=auth          says the same of each key as another top-level key does
//
// A value without a sentence is an error. With -check nothing is written, and files that would change are an error.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	if err := run(os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "chartdocs:", err)
		os.Exit(1)
	}
}

func run(args []string, stderr io.Writer) error {
	flags := flag.NewFlagSet("chartdocs", flag.ContinueOnError)
	flags.SetOutput(stderr)
	check := flags.Bool("check", false, "write nothing; fail when a file is stale")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errors.New("give the folder of one chart")
	}
	root := os.DirFS(flags.Arg(0))
	files, err := generate(root)
	if err != nil {
		return err
	}
	for name, content := range files {
		path := filepath.Join(flags.Arg(0), name)
		if err := put(path, content, *check); err != nil {
			return err
		}
	}
	return nil
}

// put writes a file, or with check compares it.
func put(path string, content []byte, check bool) error {
	before, err := os.ReadFile(path)
	switch {
	case err == nil && bytes.Equal(before, content):
		return nil
	case check:
		return fmt.Errorf("%s is stale; run make generate", path)
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("read what is there: %w", err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil { //nolint:gosec // part of the repository, for everybody to read
		return fmt.Errorf("write: %w", err)
	}
	return nil
}
