package events_test

import "testing/fstest"

// effects is the consumer's schema.
func effects() fstest.MapFS {
	return fstest.MapFS{"00001_effects.sql": {Data: []byte(`-- +goose Up
CREATE TABLE effects (seq bigserial PRIMARY KEY, subject text NOT NULL, n integer NOT NULL);
`)}}
}
