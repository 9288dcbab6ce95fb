// Package strictjson owns how JSON from outside is read: one reader for request bodies, NATS messages, events and configuration, so that
// a validator and a decoder can never understand the same bytes differently.
//
// A document is refused, not repaired (RFC 7493, "I-JSON"):
//
//   - a member name occurs once in its object, at every depth, and matches a field exactly, upper and lower case included;
//   - text is valid UTF-8 without a byte order mark; a surrogate comes in pairs; NUL, which PostgreSQL cannot store, does not occur;
//   - nothing stands behind the value, and it is at most [MaxDepth] deep.
//
// The decoder is github.com/go-json-experiment/json, which is encoding/json/v2 from Go 1.27 on; depth, NUL and numbers are looked after here.
// Numbers in an interface value are [encoding/json.Number], so that a 64-bit number leaves as it came.
package strictjson
