package arch

import (
	"fmt"
	"slices"
	"strings"
)

// VersionViolations returns a line for each dependency that two modules require in different versions, and for each
// go directive that differs.
func VersionViolations(modules []Module) []string {
	type use struct{ module, version string }
	first := map[string]use{}
	var found []string
	see := func(what, module, version string) {
		before, seen := first[what]
		if !seen {
			first[what] = use{module, version}
		} else if before.version != version {
			found = append(found, fmt.Sprintf("%s: %s in %s, %s in %s", what, before.version, before.module, version, module))
		}
	}
	for _, m := range modules {
		if m.File.Go != nil {
			see("go", m.Dir, m.File.Go.Version)
		}
		for _, r := range m.File.Require {
			if !strings.HasPrefix(r.Mod.Path, root) {
				see(r.Mod.Path, m.Dir, r.Mod.Version)
			}
		}
	}
	slices.Sort(found)
	return found
}
