package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/op"
)

// Proof is what shows that the person, and not only their session, is there.
type Proof struct {
	Password string `json:"password" minLength:"1" maxLength:"256" writeOnly:"true" doc:"The password" example:"seven green bicycles"`
}

// ReauthenticateRequest proves that the person of a session is there.
type ReauthenticateRequest struct{ Body Proof }

// Reauthenticate proves that the person of this session is there.
var Reauthenticate = op.Op[ReauthenticateRequest, struct{}]{
	Operation: huma.Operation{
		OperationID:   "reauthenticate",
		Method:        http.MethodPost,
		Path:          "/api/v1/auth/reauthenticate",
		Tags:          []string{tagSessions},
		Summary:       "Prove who is there",
		DefaultStatus: http.StatusNoContent,
		Errors:        []int{http.StatusForbidden, http.StatusTooManyRequests},
		Description: "Takes the password once more, and makes this session fresh for ten minutes (`REAUTHENTICATION_MAX_AGE`), as signing in does. " +
			"Deleting oneself asks for a fresh session: 403 `reauthentication_required`. 403 `wrong_password` here, and 429 after too many wrong ones.",
	},
	Allow: authz.Authenticated(),
	Limit: op.LimitSignIn,
}
