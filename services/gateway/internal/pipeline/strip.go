package pipeline

import (
	"net/http"
	"strings"

	"github.com/atrium-mesh/atrium/pkg/op"
)

// strip deletes every field by which a client could pretend to be somebody, to come from somewhere or to ask for something else. What
// services need of it is set again from what the gateway knows.
func (p *Pipeline) strip(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name := range r.Header {
			if pretends(name) {
				delete(r.Header, name)
			}
		}
		next.ServeHTTP(w, r)
	})
}

func pretends(name string) bool {
	switch name {
	case "Forwarded", "Via", "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "Fastly-Client-Ip",
		"X-Original-Url", "X-Original-Uri", "X-Rewrite-Url", "X-Original-Host", "X-Host",
		"X-Http-Method-Override", "X-Http-Method", "X-Method-Override",
		"X-User", "X-User-Id", "X-Remote-User", "Remote-User", op.HeaderRequestID:
		return true
	}
	for _, prefix := range []string{"X-Forwarded", "X-Atrium-", "Atrium-", "X-Auth-"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return strings.Contains(name, "_") // X_Forwarded_For is the same field to whoever speaks CGI
}
