package op

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzReadJSON(f *testing.F) {
	for _, seed := range []string{`{"a":"b"}`, `{"a":"\u0000"}`, "\xff", `[1,2,{"x":["\u0000"]}]`, ``} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var v any
		if readJSON(data, &v) != nil {
			return
		}
		out, err := json.Marshal(v)
		if err != nil || !utf8.Valid(data) || strings.Contains(string(out), `\u0000`) {
			t.Fatalf("accepted %q", data)
		}
	})
}

func FuzzReadForm(f *testing.F) {
	f.Add([]byte("a=b&c=d"))
	f.Add([]byte("%ff=%00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var v any
		if readForm(data, &v) != nil {
			return
		}
		if holdsNUL(v) {
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
