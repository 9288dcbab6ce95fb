package op

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
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
		r := newRequest(id, ip, agent, authorization)
		if !plainID(r.ID) || !utf8.ValidString(r.UserAgent) || len(r.UserAgent) > 512 || strings.ContainsAny(r.UserAgent, "\n\r\x00") {
			t.Fatalf("%+v", r)
		}
	})
}
