package op

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humamux"
	"github.com/gorilla/mux"
	"go.opentelemetry.io/otel/propagation"

	"github.com/atrium-mesh/atrium/pkg/errs"
)

// HTTP is the handler of every operation that has a path. Call it once, after all were handled.
func (s *Server) HTTP() http.Handler {
	router := mux.NewRouter().SkipClean(true)
	config := apiConfig(s.service)
	api := reader{API: humamux.New(router, config), config: config}
	sorted := slices.SortedFunc(slices.Values(s.routes), func(a, b route) int { return Compare(a.meta, b.meta) }) // ServeNATS may be reading
	for _, r := range sorted {
		if r.mount != nil {
			r.mount(api)
		}
	}
	router.NotFoundHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse(w, r, ErrNoRoute())
	})
	router.MethodNotAllowedHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allowed(router, r))
		refuse(w, r, ErrMethod())
	})
	return PlainURL(pathAsSent(router))
}

// pathAsSent shows a router the path as it was sent. Its own way to do that, UseEncodedPath, works it out for each route anew, which makes a
// long path dear.
func pathAsSent(router http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u := *r.URL
		u.Path, u.RawPath = u.EscapedPath(), ""
		sent := r.WithContext(r.Context())
		sent.URL = &u
		router.ServeHTTP(w, sent)
	})
}

// refuse answers what no operation was found for.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	id := cmp.Or(w.Header().Get(HeaderRequestID), r.Header.Get(HeaderRequestID))
	if !plainID(id) {
		id = newID()
	}
	w.Header().Set(HeaderRequestID, id)
	errs.WriteProblem(w, err, id)
}

// ErrNoRoute answers a path that nothing serves.
func ErrNoRoute() error {
	return errs.New(errs.NotFound, "route_not_found", "Nothing is offered under this path.")
}

// ErrMethod answers a path that is served, but not with this method.
func ErrMethod() error {
	return errs.New(errs.MethodNot, "method_not_allowed", "This path does not offer this method; see the Allow field.")
}

// allowed lists the methods that the request's path does offer (RFC 9110 section 10.2.1).
func allowed(router *mux.Router, r *http.Request) string {
	var methods []string
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		probe := r.Clone(r.Context())
		probe.Method = m
		var match mux.RouteMatch
		if router.Match(probe, &match) && match.MatchErr == nil && match.Route != nil {
			methods = append(methods, m)
		}
	}
	return strings.Join(methods, ", ")
}

// mountHTTP registers an operation with huma. The chain runs as huma middleware, before anything of the request is read.
func mountHTTP[I, O any](s *Server, api reader, o Op[I, O], impl func(context.Context, *I) (*O, error)) {
	h := documented(api, o)
	h.Middlewares = append(huma.Middlewares{s.overHTTP(o.Meta(), api)}, h.Middlewares...)
	register(api, h, func(ctx context.Context, in *I) (*O, error) {
		out, err := impl(ctx, in)
		if err != nil {
			err = settle(ctx, err)
			outcomeFrom(ctx).err = err
			return nil, problem(ctx, err)
		}
		return out, nil
	})
}

func mountRaw[I any](s *Server, api reader, o Op[I, struct{}], h func(http.ResponseWriter, *http.Request, *I) error) {
	d := documented(api, o)
	d.Middlewares = append(huma.Middlewares{s.overHTTP(o.Meta(), api)}, d.Middlewares...)
	register(api, d, func(ctx context.Context, in *I) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(hctx huma.Context) {
			r, w := humamux.Unwrap(hctx)
			if err := h(w, r.WithContext(ctx), in); err != nil {
				outcomeFrom(ctx).err = settle(ctx, err)
			}
		}}, nil
	})
}

// outcome carries the implementation's error around huma, which has answered it by then, back to the chain, which logs it.
type outcome struct{ err error }

type outcomeKey struct{}

func outcomeFrom(ctx context.Context) *outcome {
	return ctx.Value(outcomeKey{}).(*outcome)
}

func (s *Server) overHTTP(m Meta, api huma.API) func(huma.Context, func(huma.Context)) {
	return func(hctx huma.Context, next func(huma.Context)) {
		r, w := humamux.Unwrap(hctx)
		c := &call{
			meta:      m,
			transport: "http",
			param:     hctx.Param,
			status:    hctx.Status,
			trace:     propagation.HeaderCarrier(r.Header),
			claimed: claimed{
				id:            hctx.Header(HeaderRequestID),
				ip:            hctx.Header(HeaderClientIP),
				agent:         hctx.Header(headerAgent),
				authorization: hctx.Header(headerAuth),
				service:       hctx.Header(HeaderService),
				peer:          r.RemoteAddr,
			},
			budget: budget(hctx.Header(headerBudget)),
		}
		c.believed = func() { w.Header().Set(HeaderRequestID, c.request.ID) }
		c.run = func(ctx context.Context) (any, error) {
			if err := checkContentType(hctx, r); err != nil {
				return nil, err
			}
			if err := checkParams(api.OpenAPI().Components.Schemas, hctx, r); err != nil {
				return nil, err
			}
			r.Body = &wholeBody{ReadCloser: r.Body}
			o := &outcome{}
			next(huma.WithContext(hctx, context.WithValue(ctx, outcomeKey{}, o)))
			if o.err == nil && hctx.Status() >= http.StatusBadRequest {
				o.err = errs.New(errs.KindOfStatus(hctx.Status()), "request_refused", "Refused by validation.")
			}
			return nil, o.err
		}
		deprecationHeaders(w.Header(), m.Deprecated)
		if _, err := s.endpoint(hctx.Context(), c); err != nil && hctx.Status() == 0 {
			c.believed()
			if refused(err) {
				w.Header().Set(HeaderServiceRefused, "true")
			}
			errs.WriteProblem(w, err, c.request.ID)
		}
	}
}

// settle gives an untyped error the kind of what really happened when its context has ended.
func settle(ctx context.Context, err error) error {
	if ctx.Err() != nil && errs.KindOf(err) == errs.Internal {
		return errs.From(context.Cause(ctx)).WithCause(err)
	}
	return err
}

// budget is how long the caller will still wait, or zero when he does not say.
func budget(ms string) time.Duration {
	n, err := strconv.Atoi(ms)
	if err != nil || n <= 0 {
		return 0
	}
	return time.Duration(n) * time.Millisecond
}

func deprecationHeaders(h http.Header, d *Deprecation) {
	if d == nil {
		return
	}
	h.Set("Deprecation", "@"+strconv.FormatInt(d.Since.Unix(), 10))
	if !d.Sunset.IsZero() {
		h.Set("Sunset", d.Sunset.UTC().Format(http.TimeFormat))
	}
	if d.Link != "" {
		h.Add("Link", "<"+d.Link+`>; rel="deprecation"`)
	}
}
