package pipeline

import "net/http"

// address finds the client's real address: of the forwarding fields only what trusted proxies wrote counts, from the right.
func (p *Pipeline) address(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ExchangeFrom(r.Context()).Client = p.TrustedProxies.Client(r)
		next.ServeHTTP(w, r)
	})
}
