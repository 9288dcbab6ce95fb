package arch

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var (
	asvsRow   = regexp.MustCompile(`^\| (\d+\.\d+\.\d+) \| ([12]) \| (.+) \| (.+) \|$`)
	asvsLink  = regexp.MustCompile(`\[([^\]]+)\]\(([^)#]+)(#[^)]*)?\)`)
	asvsTest  = regexp.MustCompile("^`((?:Test|Fuzz)[A-Za-z0-9_]*)(?:/([^`]+))?`$")
	asvsApart = regexp.MustCompile(`\d+\.\d+\.\d+`)
)

// ASVSViolations are what is wrong with a page that answers the requirements of a standard, one row each. A row names what proves it: tests, as
// links with the test's name on the file that has it, or pages; or it says "open" and why. Each required number is a row, or stands in the
// section that lists those that do not apply. Links are relative to the page.
func ASVSViolations(page string, required []string) ([]string, error) {
	raw, err := os.ReadFile(page)
	if err != nil {
		return nil, fmt.Errorf("read the page: %w", err)
	}
	rows, apart, _ := strings.Cut(string(raw), "\n## Does not apply\n")
	seen := asvsApart.FindAllString(apart, -1)
	var problems []string
	for line := range strings.Lines(rows) {
		row := asvsRow.FindStringSubmatch(strings.TrimSpace(line))
		if row == nil {
			continue
		}
		seen = append(seen, row[1])
		problems = append(problems, proofViolations(filepath.Dir(page), row[1], row[4])...)
	}
	for _, number := range required {
		if !slices.Contains(seen, number) {
			problems = append(problems, number+" has no row, and is not said not to apply")
		}
	}
	slices.Sort(seen)
	for i := 1; i < len(seen); i++ {
		if seen[i] == seen[i-1] {
			problems = append(problems, seen[i]+" is there twice")
		}
	}
	for _, number := range seen {
		if !slices.Contains(required, number) {
			problems = append(problems, number+" is no requirement of these chapters and levels")
		}
	}
	return problems, nil
}

// proofViolations follows the links of one row.
func proofViolations(folder, number, proof string) []string {
	links := asvsLink.FindAllStringSubmatch(proof, -1)
	if strings.HasPrefix(proof, "open: ") {
		if len(proof) < len("open: ")+10 {
			return []string{number + " is open without a reason"}
		}
	} else if len(links) == 0 {
		return []string{number + " names no test and no page, and is not open"}
	}
	var problems []string
	for _, link := range links {
		content, err := os.ReadFile(filepath.Join(folder, link[2]))
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s: there is no %s", number, link[2]))
			continue
		}
		test := asvsTest.FindStringSubmatch(link[1])
		switch {
		case test == nil && strings.HasSuffix(link[2], "_test.go"):
			problems = append(problems, fmt.Sprintf("%s: %s names no test", number, link[1]))
		case test == nil: // a page
		case !strings.Contains(string(content), "func "+test[1]+"("):
			problems = append(problems, fmt.Sprintf("%s: there is no %s in %s", number, test[1], link[2]))
		case test[2] != "" && !strings.Contains(bodyOf(string(content), test[1]), test[2]):
			problems = append(problems, fmt.Sprintf("%s: %s of %s has no case %q", number, test[1], link[2], test[2]))
		}
	}
	return problems
}

// bodyOf is the text of a function, from its name to the brace that ends it.
func bodyOf(file, function string) string {
	_, body, _ := strings.Cut(file, "func "+function+"(")
	body, _, _ = strings.Cut(body, "\n}\n")
	return body
}
