// Package routes owns the gateway's table: which operation a method and path stand for, and which service serves it. It is made from
// the services' declared operations, so that a path exists at the gateway exactly when a service declares it.
package routes

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"github.com/atrium-mesh/atrium/pkg/op"
)

// Route is an operation and the service that owns it.
type Route struct {
	op.Meta
	Service string
}

// Service is a service behind the gateway with what it declares.
type Service struct {
	Name       string
	Operations []op.Declared
}

// Table finds the route of a request.
type Table struct {
	router *mux.Router
	routes []Route
}

// New makes the table. Internal operations have no route. It panics when two operations claim the same method and path, which is a
// programming error that must stop the start.
func New(services []Service) *Table {
	t := &Table{router: mux.NewRouter().SkipClean(true).UseEncodedPath()}
	taken := map[string]string{}
	for _, s := range services {
		for _, o := range s.Operations {
			m := o.Meta()
			if m.Path == "" {
				continue
			}
			if other, ok := taken[m.Method+" "+m.Path]; ok {
				panic("routes: " + m.ID + " and " + other + " both claim " + m.Method + " " + m.Path)
			}
			taken[m.Method+" "+m.Path] = m.ID
			t.routes = append(t.routes, Route{Meta: m, Service: s.Name})
		}
	}
	slices.SortFunc(t.routes, func(a, b Route) int { return op.Compare(a.Meta, b.Meta) })
	for i, r := range t.routes {
		t.router.NewRoute().Path(r.Path).Methods(r.Method).Name(t.routes[i].ID).Handler(&handle{&t.routes[i]})
	}
	return t
}

// handle lets the router hand a route back; it is never served.
type handle struct{ route *Route }

func (*handle) ServeHTTP(http.ResponseWriter, *http.Request) {}

// Find is the route of a request with its path parameters. It answers [op.ErrNoRoute] or [op.ErrMethod]; with the latter the
// methods that the path does offer.
func (t *Table) Find(r *http.Request) (*Route, map[string]string, []string, error) {
	var m mux.RouteMatch
	if t.router.Match(r, &m) && m.MatchErr == nil {
		if h, ok := m.Handler.(*handle); ok {
			return h.route, m.Vars, nil, nil
		}
	}
	if allowed := t.methods(r); len(allowed) > 0 {
		return nil, nil, allowed, op.ErrMethod()
	}
	return nil, nil, nil, op.ErrNoRoute()
}

// methods lists what the request's path offers (RFC 9110 section 10.2.1).
func (t *Table) methods(r *http.Request) []string {
	var out []string
	probe := r.Clone(r.Context())
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		probe.Method = method
		var m mux.RouteMatch
		if t.router.Match(probe, &m) && m.MatchErr == nil {
			out = append(out, method)
		}
	}
	return out
}

// All lists the routes in the order in which they are tried.
func (t *Table) All() []Route { return slices.Clone(t.routes) }

// String is a line a route, for people.
func (t *Table) String() string {
	var b strings.Builder
	for _, r := range t.routes {
		b.WriteString(r.Method + " " + r.Path + " → " + r.Service + " (" + r.Allow.String() + ")\n")
	}
	return b.String()
}
