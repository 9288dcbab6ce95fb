package arch

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// adapters are the rooms of a service that speak to the outside: what stands in internal/ beside them is the domain.
var adapters = []string{"app", "config", "consumers", "rpc", "store", "stream", "tasks"}

// outside is what the domain may not import: transports, SQL drivers, brokers, and the rooms that use them.
var outside = []string{
	"database/sql",
	"github.com/danielgtaylor/huma/v2/adapters",
	"github.com/go-kit/kit/transport",
	"github.com/gorilla/mux",
	"github.com/jackc/pgx/v5",
	"github.com/nats-io/",
	"github.com/pressly/goose",
	"github.com/riverqueue/river",
	root + "pkg/op",
}

// ImportViolations returns a line for each import that breaks a rule of the house.
func ImportViolations(packages []Package) []string {
	var found []string
	for _, p := range packages {
		tests := slices.Concat(p.TestImports, p.XTestImports)
		for _, imported := range slices.Concat(p.Imports, tests) {
			inTest := !slices.Contains(p.Imports, imported)
			if why := forbidden(p, imported, inTest); why != "" {
				found = append(found, fmt.Sprintf("%s imports %s: %s", p.Path(), strings.TrimPrefix(imported, root), why))
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func forbidden(p Package, imported string, inTest bool) string {
	from := strings.Split(p.Path(), "/")
	to, local := strings.CutPrefix(imported, root)
	switch {
	case from[0] == "pkg" && local && !strings.HasPrefix(to, "pkg/"):
		return "the kit knows no service and no program"
	case from[0] == "services" && local && strings.HasPrefix(to, "cmd/"):
		return "a service knows no program"
	case from[0] == "services" && local && strings.HasPrefix(to, "services/"):
		return betweenServices(from, strings.Split(to, "/"), inTest)
	case isDomain(from) && !inTest:
		return inDomain(imported)
	default:
		return ""
	}
}

// betweenServices: another service is its api package and nothing else; black-box tests may run it as a whole.
func betweenServices(from, to []string, inTest bool) string {
	if from[1] == to[1] {
		return withinService(from, to, inTest)
	}
	blackBox := len(from) > 2 && from[2] == "test"
	switch {
	case len(to) > 2 && to[2] == "api":
		return ""
	case len(to) == 2 && (blackBox || inTest):
		return ""
	default:
		return "of another service, import only its api"
	}
}

// withinService: api stands alone, and the domain does not know who calls or stores it.
func withinService(from, to []string, inTest bool) string {
	switch {
	case len(from) > 2 && from[2] == "api" && (len(to) < 3 || to[2] != "api") && !inTest:
		return "an api package imports nothing of its service"
	case isDomain(from) && len(to) > 3 && to[2] == "internal" && slices.Contains(adapters, to[3]) && !inTest:
		return "the domain does not import the rooms around it; they import the domain"
	default:
		return ""
	}
}

// isDomain tells services/<name>/internal/<noun>. The gateway has no domain: it is a transport throughout. Test helpers (…test) put the
// domain and its store together.
func isDomain(from []string) bool {
	return len(from) > 3 && from[0] == "services" && from[1] != "gateway" && from[2] == "internal" &&
		!slices.Contains(adapters, from[3]) && !strings.HasSuffix(from[3], "test")
}

func inDomain(imported string) string {
	for _, prefix := range outside {
		if strings.HasPrefix(imported, prefix) {
			return "the domain imports no transport, no SQL driver and no broker"
		}
	}
	return ""
}

// clients are packages that everybody imports who calls a service. What verifies tokens is for those who are called.
var clients = []string{"pkg/op", "services/users/api", "services/notifications/api"}

// ClientViolations returns a line for each typed client that would bring the verification of tokens along.
func ClientViolations(packages []Package) []string {
	var found []string
	for _, p := range packages {
		if !slices.Contains(clients, p.Path()) {
			continue
		}
		for _, dep := range p.Deps {
			if dep == root+"pkg/token" || strings.HasPrefix(dep, "github.com/coreos/go-oidc/") || strings.HasPrefix(dep, "github.com/go-jose/") {
				found = append(found, fmt.Sprintf("%s brings %s along", p.Path(), strings.TrimPrefix(dep, root)))
			}
		}
	}
	slices.Sort(found)
	return found
}

// LinkViolations returns a line for each program that has a test helper linked into it.
func LinkViolations(packages []Package) []string {
	var found []string
	for _, p := range packages {
		if p.Name != "main" || strings.HasPrefix(p.Path(), "test/") {
			continue
		}
		for _, dep := range p.Deps {
			ours := strings.HasPrefix(dep, root) && strings.HasSuffix(path.Base(dep), "test")
			if ours || strings.HasPrefix(dep, "github.com/stretchr/testify") {
				found = append(found, fmt.Sprintf("%s links %s", p.Path(), strings.TrimPrefix(dep, root)))
			}
		}
	}
	slices.Sort(found)
	return found
}
