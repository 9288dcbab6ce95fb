package natsconn

import (
	"maps"
	"slices"

	"github.com/nats-io/nats.go"
)

// HeaderCarrier lets OpenTelemetry put trace context into a NATS header and take it out again. NATS keeps keys as they are written,
// so this one does too: propagation.HeaderCarrier would canonicalise them on one side only.
type HeaderCarrier nats.Header

// Get is the first value of a key, "" when there is none.
func (c HeaderCarrier) Get(key string) string { return nats.Header(c).Get(key) }

// Set replaces the values of a key.
func (c HeaderCarrier) Set(key, value string) { nats.Header(c).Set(key, value) }

// Keys lists the keys, sorted.
func (c HeaderCarrier) Keys() []string { return slices.Sorted(maps.Keys(c)) }
