package strictjson_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/strictjson"
)

type address struct {
	City string `json:"city"`
}

type person struct {
	Name    string          `json:"full_name"`
	Age     int64           `json:"age,omitempty"`
	ID      uuid.UUID       `json:"id,omitzero"`
	At      time.Time       `json:"at,omitzero"`
	Home    *address        `json:"home,omitempty"`
	Tags    []string        `json:"tags,omitempty"`
	Data    map[string]any  `json:"data,omitempty"`
	Raw     json.RawMessage `json:"raw,omitempty"`
	Untaged string
}

// TestRefusesWhatTwoReadersCouldUnderstandDifferently reads each document as a struct and as a tree: both must refuse.
func TestRefusesWhatTwoReadersCouldUnderstandDifferently(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"duplicate member":                   `{"full_name":"a","full_name":"b"}`,
		"duplicate, escaped":                 `{"full_name":"a","full\u005fname":"b"}`,
		"duplicate in depth":                 `{"home":{"city":"a","city":"b"}}`,
		"duplicate of what no field is for":  `{"x":1,"x":2}`,
		"duplicate in free data":             `{"data":{"a":[{"b":1,"b":2}]}}`,
		"duplicate in raw":                   `{"raw":{"a":1,"a":2}}`,
		"lone high surrogate":                `{"full_name":"\ud800"}`,
		"lone low surrogate":                 `{"full_name":"\udc00"}`,
		"surrogates the wrong way round":     `{"full_name":"\udc00\ud800"}`,
		"lone surrogate in a name":           `{"\ud800":1}`,
		"invalid UTF-8":                      "{\"full_name\":\"\xff\"}",
		"encoded surrogate":                  "{\"full_name\":\"\xed\xa0\x80\"}",
		"escaped NUL":                        `{"full_name":"a\u0000b"}`,
		"escaped NUL after a backslash":      `{"full_name":"a\\\u0000b"}`,
		"escaped NUL in a name":              `{"a\u0000":1}`,
		"raw NUL":                            "{\"full_name\":\"\x00\"}",
		"NUL outside":                        "{}\x00",
		"raw control character":              "{\"full_name\":\"a\nb\"}",
		"byte order mark":                    "\ufeff{}",
		"trailing data":                      `{} {}`,
		"trailing brace":                     `{}}`,
		"trailing comma":                     `{"full_name":"a",}`,
		"comment":                            `{/**/}`,
		"too deep":                           `{"data":{"a":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}}`,
		"very deep and unfinished":           strings.Repeat("[", 1<<20),
		"a number with a leading zero":       `{"age":01}`,
		"not a number":                       `{"age":NaN}`,
		"single quotes":                      `{'full_name':"a"}`,
		"nothing":                            ``,
		"blank":                              " \n",
		"half":                               `{"full_name":`,
		"a string that does not end":         `"a`,
		"a string that ends in a half NUL":   `"\u000`,
		"a string that ends in a back slash": `"\`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Error(t, strictjson.Unmarshal([]byte(text), new(person)))
			require.Error(t, strictjson.Unmarshal([]byte(text), new(any)))
		})
	}
}

func TestMemberNamesMatchExactly(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"FULL_NAME", "Full_name", "fullname", "full-name", "ﬀull_name", "full_name "} {
		var p person
		text := []byte(`{"full_name":"right","` + name + `":"wrong"}`)
		require.NoError(t, strictjson.Unmarshal(text, &p), name)
		require.Equal(t, "right", p.Name, name)
		require.Error(t, strictjson.UnmarshalKnown(text, &p), name)
	}
	var p person
	require.NoError(t, strictjson.Unmarshal([]byte(`{"untaged":"x"}`), &p))
	require.Empty(t, p.Untaged)
}

func TestReadsWhatIsRight(t *testing.T) {
	t.Parallel()
	var p person
	require.NoError(t, strictjson.Unmarshal([]byte(` {"full_name":"Zoë \ud83d\ude00 \\u0000","age":9223372036854775807,
		"id":"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e","at":"2026-01-02T03:04:05Z","home":{"city":"Ulm"},"tags":["a"],
		"data":{"big":12345678901234567890,"small":1.50,"list":[1e2]},"Untaged":"u"} `), &p))
	require.Equal(t, "Zoë 😀 \\u0000", p.Name)
	require.EqualValues(t, 9223372036854775807, p.Age)
	require.Equal(t, "Ulm", p.Home.City)
	require.Equal(t, "u", p.Untaged)
	out, err := json.Marshal(p.Data)
	require.NoError(t, err)
	require.JSONEq(t, `{"big":12345678901234567890,"list":[1e2],"small":1.50}`, string(out))
	require.Contains(t, string(out), `"big":12345678901234567890`, "a number leaves as it came")
	require.Contains(t, string(out), `"small":1.50`)
	deep := `{"data":{"a":` + strings.Repeat("[", 62) + strings.Repeat("]", 62) + `}}`
	require.NoError(t, strictjson.Unmarshal([]byte(deep), &p))
	require.NoError(t, strictjson.Unmarshal([]byte(`{"full_name":"[[[[[[{{{{"}`), &p))
}
