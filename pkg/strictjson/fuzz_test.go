package strictjson_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/atrium-mesh/atrium/pkg/strictjson"
)

// FuzzUnmarshal compares with encoding/json: whatever is accepted, encoding/json reads the same from it, and what is written of it is
// accepted again and is the same.
func FuzzUnmarshal(f *testing.F) {
	for _, seed := range []string{
		`{"a":"b"}`, `{"a":"\u0000"}`, "\xff", `[1,2,{"x":["\u0000"]}]`, ``, `{"a":1,"A":2}`, `{"a":1,"a":2}`, `"\ud800"`, `"\ud83d\ude00"`,
		`{"full_name":"x","FULL_NAME":"y","data":{"n":12345678901234567890}}`, `[[[[[[]]]]]]`, `1e400`, `-0`, "\ufeff1", `{"a":{}} `,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var ours any
		if strictjson.Unmarshal(data, &ours) != nil {
			return
		}
		if !utf8.Valid(data) || bytes.ContainsRune(data, 0) {
			t.Fatalf("accepted %q", data)
		}
		theirs := standard(t, data)
		if !reflect.DeepEqual(ours, theirs) {
			t.Fatalf("%q: %#v, and encoding/json %#v", data, ours, theirs)
		}
		out, err := json.Marshal(ours)
		if err != nil || strings.Contains(string(out), `\u0000`) {
			t.Fatalf("%q: %q %v", data, out, err)
		}
		var again any
		if err := strictjson.Unmarshal(out, &again); err != nil || !reflect.DeepEqual(ours, again) {
			t.Fatalf("%q became %q: %v", data, out, err)
		}
	})
}

func standard(t *testing.T, data []byte) any {
	t.Helper()
	var v any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("%q: accepted, and encoding/json says %v", data, err)
	}
	return v
}
