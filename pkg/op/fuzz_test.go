package op

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/atrium-mesh/atrium/pkg/request"
)

func FuzzReadForm(f *testing.F) {
	f.Add([]byte("a=b&c=d"))
	f.Add([]byte("%ff=%00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var v any
		if readForm(data, &v) != nil {
			return
		}
		if out, err := json.Marshal(v); err != nil || strings.Contains(string(out), `\u0000`) {
			t.Fatalf("accepted %q", data)
		}
	})
}

func FuzzNewRequest(f *testing.F) {
	f.Add("id", "192.0.2.1", "curl/8", "Bearer x")
	f.Fuzz(func(t *testing.T, id, ip, agent, authorization string) {
		for _, via := range []string{"", "gateway"} {
			r := claimed{id: id, ip: ip, agent: agent, authorization: authorization, peer: ip}.request(via)
			checkRequest(t, r)
		}
	})
}

func checkRequest(t *testing.T, r request.Request) {
	t.Helper()
	if !plainID(r.ID) || !utf8.ValidString(r.UserAgent) || len(r.UserAgent) > 512 || strings.ContainsAny(r.UserAgent, "\n\r\x00") {
		t.Fatalf("%+v", r)
	}
	if _, err := netip.ParseAddr(r.ClientIP); r.ClientIP != "" && err != nil {
		t.Fatalf("%+v", r)
	}
}
