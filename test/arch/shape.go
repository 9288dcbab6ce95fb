package arch

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	maxFileLines = 600
	maxMainLines = 70
)

var vagueNames = []string{"common", "helper", "helpers", "manager", "misc", "models", "shared", "types", "util", "utils"}

// ShapeViolations returns a line for each file that is too long and each package without a sentence or with a name
// that says nothing.
func ShapeViolations(packages []Package) ([]string, error) {
	var found []string
	for _, p := range packages {
		if slices.Contains(vagueNames, p.Name) {
			found = append(found, fmt.Sprintf("%s: the name %q says nothing", p.Path(), p.Name))
		}
		written := 0
		for _, name := range slices.Concat(p.GoFiles, p.TestGoFiles, p.XTestGoFiles) {
			lines, generated, err := countLines(filepath.Join(p.Dir, name))
			if err != nil {
				return nil, err
			}
			limit := maxFileLines
			if name == "main.go" && strings.HasPrefix(p.Path(), "services/") {
				limit = maxMainLines
			}
			if generated {
				continue
			}
			written++
			if lines > limit {
				found = append(found, fmt.Sprintf("%s/%s: %d lines, at most %d", p.Path(), name, lines, limit))
			}
		}
		if p.Doc == "" && len(p.GoFiles) > 0 && written > 0 {
			found = append(found, p.Path()+": no package sentence that says what it owns")
		}
	}
	slices.Sort(found)
	return found, nil
}

func countLines(name string) (lines int, generated bool, err error) {
	raw, err := os.ReadFile(name)
	if err != nil {
		return 0, false, fmt.Errorf("count lines: %w", err)
	}
	return bytes.Count(raw, []byte("\n")), bytes.HasPrefix(raw, []byte("// Code generated ")), nil
}

// rooms are what every service has; those with a database have more.
var (
	rooms      = []string{"go.mod", "%[1]s.go", "cmd/%[1]s/main.go", "internal/app/app.go", "internal/config"}
	databaseOf = []string{"api", "internal/store/migrations", "internal/store/queries", "sqlc.yaml", "test"}
)

// HouseViolations returns a line for each room that the service in dir lacks. A service has a database when it has a
// folder internal/store.
func HouseViolations(dir string) []string {
	service := filepath.Base(dir)
	want := rooms
	if exists(filepath.Join(dir, "internal/store")) {
		want = slices.Concat(rooms, databaseOf)
	}
	var found []string
	for _, room := range want {
		if strings.Contains(room, "%") {
			room = fmt.Sprintf(room, service)
		}
		if !exists(filepath.Join(dir, room)) {
			found = append(found, fmt.Sprintf("services/%s has no %s", service, room))
		}
	}
	return found
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
