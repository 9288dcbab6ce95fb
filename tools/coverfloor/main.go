// Command coverfloor merges each Go coverage profile (one a service), prints a table by package, and exits with 1 when
// a service is under the floor.
//
//	coverfloor -floor=80 -exclude=/internal/store/db/ coverage/auth.out coverage/users.out
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/tabwriter"
)

func main() {
	floor := flag.Float64("floor", 80, "least percentage of covered statements for each profile")
	exclude := flag.String("exclude", "^$", "regular expression: files that do not count")
	flag.Parse()
	ok, err := run(os.Stdout, *floor, *exclude, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "coverfloor:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

// run prints the table of every profile and reports whether all of them reach the floor.
func run(w io.Writer, floor float64, exclude string, profiles []string) (bool, error) {
	skip, err := regexp.Compile(exclude)
	if err != nil {
		return false, fmt.Errorf("-exclude: %w", err)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	ok := true
	for _, path := range profiles {
		p, err := readProfile(path, skip)
		if err != nil {
			return false, err
		}
		total := p.total()
		verdict := ""
		if total.percent() < floor {
			ok = false
			verdict = fmt.Sprintf("UNDER %.0f %%", floor)
		}
		name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		fmt.Fprintf(table, "%.1f %%\t%d/%d\t  %s %s\n", total.percent(), total.covered, total.statements, name, verdict)
		for _, pkg := range p.packages() {
			c := p.byPackage[pkg]
			fmt.Fprintf(table, "%.1f %%\t%d/%d\t    %s\n", c.percent(), c.covered, c.statements, pkg)
		}
	}
	if err := table.Flush(); err != nil {
		return false, fmt.Errorf("print: %w", err)
	}
	return ok, nil
}
