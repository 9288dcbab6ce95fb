// Package routes owns the gateway's table: which operation a method and path stand for, and which service serves it. It is made from
// the services' declared operations, so that a path exists at the gateway exactly when a service declares it.
package routes

import (
	"net/http"
	"net/url"
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

// Table finds the route of a request. It matches as [op.Server] does, on the path as it was sent, so that a service finds the operation
// that the gateway found.
type Table struct {
	router  *mux.Router
	routes  []Route
	literal map[string]bool // paths without parameters
}

// New makes the table. Internal operations have no route. It panics when two operations claim the same method and path, which is a
// programming error that must stop the start.
func New(services []Service) *Table {
	t := &Table{router: mux.NewRouter().SkipClean(true), literal: map[string]bool{}}
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
			t.literal[m.Path] = !strings.Contains(m.Path, "{")
			t.routes = append(t.routes, Route{Meta: m, Service: s.Name})
		}
	}
	slices.SortFunc(t.routes, func(a, b Route) int { return op.Compare(a.Meta, b.Meta) })
	for i, r := range t.routes {
		t.router.NewRoute().Path(r.Path).Methods(r.Method).Handler(&handle{&t.routes[i]})
	}
	return t
}

// handle lets the router hand a route back; it is never served.
type handle struct{ route *Route }

func (*handle) ServeHTTP(http.ResponseWriter, *http.Request) {}

// Find is the route of a request, with its path parameters as they were sent, or nil. HEAD finds what GET does (RFC 9110 section
// 9.3.2), except for streams, which would send nobody anything for hours.
func (t *Table) Find(r *http.Request) (*Route, map[string]string) {
	if !Plain(r.URL.Path) {
		return nil, nil
	}
	if r.Method != http.MethodHead {
		return t.match(r)
	}
	probe := *r
	probe.Method = http.MethodGet
	if route, params := t.match(&probe); route != nil && !route.Stream {
		return route, params
	}
	return nil, nil
}

func (t *Table) match(r *http.Request) (*Route, map[string]string) {
	// The router is shown the path as it was sent. Its own way to do that, UseEncodedPath, works it out for each route anew: 11 ms for a
	// path of 8 KiB that is nobody's.
	probe := *r
	probe.URL = &url.URL{Path: r.URL.EscapedPath()}
	var m mux.RouteMatch
	if t.router.Match(&probe, &m) && m.MatchErr == nil {
		// A path that stands in the table as it is is not also one of a template: DELETE /users/me is not DELETE /users/{id}.
		if h, ok := m.Handler.(*handle); ok && (t.literal[h.route.Path] || !t.literal[probe.URL.Path]) {
			return h.route, m.Vars
		}
	}
	return nil, nil
}

// Methods lists what the request's path offers (RFC 9110 section 10.2.1); nothing when there is no such path.
func (t *Table) Methods(r *http.Request) []string {
	var out []string
	probe := *r
	for _, probe.Method = range []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
	} {
		if route, _ := t.Find(&probe); route != nil {
			out = append(out, probe.Method)
		}
	}
	return out
}

// Plain reports that nothing on the way could take the path, decoded, for another one: it has no empty, "." or ".." segment.
func Plain(decoded string) bool {
	if !strings.HasPrefix(decoded, "/") || strings.Contains(decoded, "//") {
		return false
	}
	for segment := range strings.SplitSeq(decoded, "/") {
		if segment == "." || segment == ".." {
			return false
		}
	}
	return true
}

// All lists the routes in the order in which they are tried.
func (t *Table) All() []Route { return slices.Clone(t.routes) }
