package pipeline

import (
	"net/http"

	"github.com/atrium-mesh/atrium/pkg/authz"
)

// authorize checks the operation's policy, the same that the service checks again.
func (p *Pipeline) authorize(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := ExchangeFrom(r.Context())
		if err := x.Route.Allow.Check(authz.Caller{Principal: x.Principal}, func(name string) string { return x.Params[name] }); err != nil {
			Refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}
