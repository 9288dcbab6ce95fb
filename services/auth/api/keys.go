package api

import (
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/op"
)

const tagKeys = "Signing keys"

// The states of a signing key.
const (
	KeyPending = "pending" // published, and will sign
	KeySigning = "signing"
	KeyRetired = "retired" // published, and signs no more
)

// SigningKey is a key that signs tokens, without its secret.
type SigningKey struct {
	KeyID          string     `json:"kid" doc:"What a token's header names it by" example:"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"`
	Algorithm      string     `json:"algorithm" doc:"The algorithm it signs with" example:"ES256"`
	State          string     `json:"state" enum:"pending,signing,retired" doc:"Whether it will sign, signs, or has signed" example:"signing"`
	CreatedAt      time.Time  `json:"created_at" doc:"Since when it is published" example:"2026-01-02T15:04:05Z"`
	SignsFrom      time.Time  `json:"signs_from" doc:"From when on it signs" example:"2026-01-02T16:04:05Z"`
	SignsUntil     *time.Time `json:"signs_until,omitempty" doc:"When its successor takes over; left out while it has none" example:"2026-02-01T16:04:05Z"`
	PublishedUntil *time.Time `json:"published_until,omitempty" doc:"When it leaves the key set; left out while it has no successor" example:"2026-02-01T16:34:05Z"`
}

// SigningKeys is every key there is.
type SigningKeys struct {
	Keys []SigningKey `json:"keys" nullable:"false" doc:"The keys, in the order in which they sign"`
}

// KeysResponse is every key there is.
type KeysResponse struct{ Body SigningKeys }

// KeyRotation says how urgent it is.
type KeyRotation struct {
	Compromised bool `json:"compromised,omitempty" doc:"Whether somebody may have the present keys: they are withdrawn at once, and with them every access token" example:"false"`
}

// RotateKeysRequest replaces the keys that sign.
type RotateKeysRequest struct{ Body KeyRotation }

// ListKeys lists the keys that sign tokens.
var ListKeys = op.Op[struct{}, KeysResponse]{
	Operation: huma.Operation{
		OperationID: "list-keys", Method: http.MethodGet, Path: "/api/v1/auth/keys", Tags: []string{tagKeys},
		Summary: "List signing keys", Description: "Which keys sign, have signed and will sign, and when. Never a secret.",
	},
	Allow: authz.Require(PermKeysRotate),
}

// RotateKeys replaces the keys that sign tokens before it is time.
var RotateKeys = op.Op[RotateKeysRequest, KeysResponse]{
	Operation: huma.Operation{
		OperationID: "rotate-keys", Method: http.MethodPost, Path: "/api/v1/auth/keys/rotate", Tags: []string{tagKeys},
		Summary: "Rotate signing keys",
		Description: "Makes a successor of each key that signs. It is published at once and signs after `KEY_PUBLISH_BEFORE`, so that no request fails. " +
			"While a successor is waiting already, nothing is made. With `compromised` every key is withdrawn, waiting ones too, and a new one signs at once: " +
			"access tokens of the old ones are refused (within a second in the mesh, elsewhere as soon as the verifier has read the new key set, within 15 minutes), and clients refresh them.",
	},
	Allow: authz.Require(PermKeysRotate),
}
