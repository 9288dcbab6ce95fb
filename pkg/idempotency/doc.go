// Package idempotency owns the answers to requests that carry an Idempotency-Key, so that a request that is sent again gets the
// first one's answer and has no second effect (draft-ietf-httpapi-idempotency-key-header).
package idempotency
