package strictjson_test

import (
	"encoding/json"
	"testing"

	"github.com/atrium-mesh/atrium/pkg/strictjson"
)

// BenchmarkUnmarshal reads a usual body as a request does, once as a tree and once as a struct, beside encoding/json.
func BenchmarkUnmarshal(b *testing.B) {
	body := []byte(`{"full_name":"Ada Lovelace","age":36,"id":"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e","at":"2026-01-02T03:04:05Z",` +
		`"home":{"city":"London"},"tags":["one","two","three"],"data":{"path":"/exports/42","n":7}}`)
	for name, read := range map[string]func([]byte, any) error{"strict": strictjson.Unmarshal, "encoding-json": json.Unmarshal} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				var tree any
				var p person
				if read(body, &tree) != nil || read(body, &p) != nil {
					b.Fatal("not read")
				}
			}
		})
	}
}
