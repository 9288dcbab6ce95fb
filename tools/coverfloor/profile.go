package main

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// count is a number of statements, and how many of them ran.
type count struct{ covered, statements int }

// percent is 100 for no statements at all: there is nothing left to cover.
func (c count) percent() float64 {
	if c.statements == 0 {
		return 100
	}
	return 100 * float64(c.covered) / float64(c.statements)
}

// profile is a merged coverage profile, by package.
type profile struct{ byPackage map[string]count }

func (p profile) packages() []string { return slices.Sorted(maps.Keys(p.byPackage)) }

func (p profile) total() count {
	var t count
	for _, c := range p.byPackage {
		t.covered += c.covered
		t.statements += c.statements
	}
	return t
}

// readProfile merges the blocks of a profile: `go test` writes a block once for each test binary, and it counts as
// covered when any of them ran it.
func readProfile(name string, skip *regexp.Regexp) (profile, error) {
	f, err := os.Open(name)
	if err != nil {
		return profile{}, fmt.Errorf("open profile: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read from

	blocks := map[string]count{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "mode:") {
			continue
		}
		key, c, err := parseBlock(line)
		if err != nil {
			return profile{}, fmt.Errorf("%s: %w", name, err)
		}
		if skip.MatchString(key) {
			continue
		}
		c.covered = max(c.covered, blocks[key].covered)
		blocks[key] = c
	}
	if err := lines.Err(); err != nil {
		return profile{}, fmt.Errorf("%s: %w", name, err)
	}

	p := profile{byPackage: map[string]count{}}
	for key, c := range blocks {
		pkg := path.Dir(key[:strings.LastIndex(key, ":")])
		sum := p.byPackage[pkg]
		sum.covered += c.covered
		sum.statements += c.statements
		p.byPackage[pkg] = sum
	}
	return p, nil
}

// parseBlock reads `file.go:12.3,14.5 2 1`: a block, its number of statements, and how often it ran.
func parseBlock(line string) (string, count, error) {
	fields := strings.Fields(line)
	if len(fields) != 3 || !strings.Contains(fields[0], ":") {
		return "", count{}, fmt.Errorf("not a coverage block: %q", line)
	}
	statements, err := strconv.Atoi(fields[1])
	if err != nil {
		return "", count{}, fmt.Errorf("not a coverage block: %q: %w", line, err)
	}
	runs, err := strconv.ParseUint(fields[2], 10, 64)
	if err != nil {
		return "", count{}, fmt.Errorf("not a coverage block: %q: %w", line, err)
	}
	c := count{statements: statements}
	if runs > 0 {
		c.covered = statements
	}
	return fields[0], c, nil
}
