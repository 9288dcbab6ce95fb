package test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkGateway is a request with a valid token through the gateway, and the same request to the service directly.
func BenchmarkGateway(b *testing.B) {
	m := start(b, nil)
	m.users.answer(with(http.StatusOK, "Content-Type", "application/json"))
	bearer := "Bearer " + m.issuer.SignUser(ada)
	for name, url := range map[string]string{"direct": m.users.url, "through": m.URL} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}
			defer client.CloseIdleConnections()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url+"/api/v1/users/"+ada, http.NoBody)
					require.NoError(b, err)
					r.Header.Set("Authorization", bearer)
					resp, err := client.Do(r)
					require.NoError(b, err)
					_, err = io.Copy(io.Discard, resp.Body)
					require.NoError(b, err)
					require.NoError(b, resp.Body.Close())
				}
			})
			m.users.requests()
		})
	}
}
