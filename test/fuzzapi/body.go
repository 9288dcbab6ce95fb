package fuzzapi

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// encode writes a body as its media type wants it.
func encode(media string, v any) []byte {
	if media != "application/x-www-form-urlencoded" {
		out, err := json.Marshal(v)
		if err != nil {
			panic(err) // what generators and spoilers make can be written
		}
		return out
	}
	form := url.Values{}
	for name, value := range object(v) {
		form.Set(name, plain(value))
	}
	return []byte(form.Encode())
}

// plain is a scalar as it stands in an address.
func plain(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case json.Number:
		return v.String()
	case []any:
		words := make([]string, len(v))
		for i := range v {
			words[i] = plain(v[i])
		}
		return strings.Join(words, ",")
	}
	return "?"
}

// rewrite changes the bytes of a JSON object; nil leaves it.
func rewrite(r *Request, change func([]byte) []byte) bool {
	if len(r.Body) < 2 || r.Body[0] != '{' {
		return false
	}
	out := change(r.Body)
	if out == nil {
		return false
	}
	r.Body = out
	return true
}

func replace(change func([]byte) []byte) func(generator, *Request) bool {
	return func(_ generator, r *Request) bool { return rewrite(r, change) }
}

// anyMember is the text of a name and of its value, both as JSON.
func anyMember(g generator, body []byte) (name, value []byte, ok bool) {
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil || len(members) == 0 {
		return nil, nil, false
	}
	names := slices.Sorted(maps.Keys(members))
	picked := names[g.IntN(len(names))]
	name, err := json.Marshal(picked)
	return name, members[picked], err == nil
}

// inString puts text into one of the strings of the body, as it stands.
func inString(what string) func(generator, *Request) bool {
	return func(g generator, r *Request) bool {
		return rewrite(r, func(body []byte) []byte {
			var starts []int
			for i := bytes.IndexByte(body, ':'); i >= 0 && i+1 < len(body); {
				if body[i+1] == '"' {
					starts = append(starts, i+2)
				}
				next := bytes.IndexByte(body[i+1:], ':')
				if next < 0 {
					break
				}
				i += 1 + next
			}
			if len(starts) == 0 {
				return nil
			}
			at := starts[g.IntN(len(starts))]
			return slices.Concat(body[:at], []byte(what), body[at:])
		})
	}
}

// tree changes the members of the body.
func tree(r *Request, change func(map[string]any) bool) bool {
	return rewrite(r, func(body []byte) []byte {
		var members map[string]any
		if json.Unmarshal(body, &members) != nil || !change(members) {
			return nil
		}
		return encode("application/json", members)
	})
}

// atMember replaces one member, at any depth.
func atMember(to func(generator, any) any) func(generator, *Request) bool {
	return func(g generator, r *Request) bool {
		return tree(r, func(members map[string]any) bool {
			for {
				names := slices.Sorted(maps.Keys(members))
				if len(names) == 0 {
					return false
				}
				name := names[g.IntN(len(names))]
				if inner, ok := members[name].(map[string]any); ok && len(inner) > 0 && g.IntN(2) == 0 {
					members = inner
					continue
				}
				members[name] = to(g, members[name])
				return true
			}
		})
	}
}

// knowledge is the ids that answers have told, by the path of their collection.
type knowledge struct {
	ids     map[string][]string
	private map[string]bool // never used
}

const mostIDs = 200

func (k *knowledge) learn(collection, id string) {
	if id == "" || k.private[id] || slices.Contains(k.ids[collection], id) {
		return
	}
	k.ids[collection] = append(k.ids[collection], id)
	if len(k.ids[collection]) > mostIDs {
		k.ids[collection] = k.ids[collection][1:]
	}
}

// pick is an id for a parameter of a path, mostly one that exists. Without a path it is somebody's.
func (k *knowledge) pick(r *rand.Rand, path, name, otherwise string) string {
	collection := "/api/v1/users"
	if before, _, ok := strings.Cut(path, "/{"+name+"}"); ok {
		collection = before
	}
	if ids := k.ids[collection]; len(ids) > 0 && r.IntN(8) > 0 {
		return ids[r.IntN(len(ids))]
	}
	return otherwise
}
