// Package fuzzapi sends what nobody would write by hand. It reads the contract (the OpenAPI document that the gateway serves), makes
// requests for every operation, spoils most of them in one of many ways, and sends them as a stranger, a user, support and an administrator.
//
//	contract ── generator ── spoiler ── client ── gateway
//	    └────────── judge ◄── request and answer ───┘
//
// The judge knows nothing of how Atrium reads: it has a strict reader of its own (encoding/json's tokens, not the decoder that the services
// use) and a JSON Schema validator of its own. It finds a fault when an answer is a 5xx, has a status, media type or body that the
// contract does not know, a wrong Allow, or says yes to what the contract forbids.
//
// A run is told by its seed and its length: the same two give the same operations, spoiled in the same way. Ids differ, since they are the mesh's.
package fuzzapi
