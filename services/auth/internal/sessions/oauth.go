package sessions

import (
	"context"
	"errors"
	"net/http"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
)

// The errors of the token endpoint (RFC 6749 section 5.2).
const (
	oauthInvalidRequest   = "invalid_request"
	oauthInvalidGrant     = "invalid_grant"
	oauthUnsupportedGrant = "unsupported_grant_type"
)

// Token implements [api.Token].
func (s *Service) Token(ctx context.Context, in *api.TokenRequest) (*api.TokenResponse, error) {
	made, refusal, err := s.grant(ctx, in.Body)
	switch {
	case refusal != "":
		return oauthError(refusal, "See grant_type, and the parameters that it needs."), nil
	case errors.Is(err, errs.Unauthenticated), errors.Is(err, errs.Forbidden):
		return oauthError(oauthInvalidGrant, errs.From(err).Message), nil
	case err != nil:
		return nil, err
	}
	return &api.TokenResponse{Status: http.StatusOK, CacheControl: noStore, Body: api.OAuthAnswer{
		AccessToken:      made.access.text,
		TokenType:        typeBearer,
		ExpiresIn:        made.access.seconds(),
		RefreshToken:     made.refresh.text,
		RefreshExpiresIn: made.refresh.seconds(),
		Scope:            made.scope,
	}}, nil
}

// grant does what the form asks for, or says how the form is wrong.
func (s *Service) grant(ctx context.Context, form api.TokenForm) (made issued, refusal string, err error) {
	switch {
	case form.GrantType == "password" && form.Username != "" && form.Password != "":
		made, err = s.signIn(ctx, credentials{email: form.Username, password: form.Password})
	case form.GrantType == "refresh_token" && form.RefreshToken != "":
		made, err = s.refresh(ctx, form.RefreshToken)
	case form.GrantType == "", form.GrantType == "password", form.GrantType == "refresh_token":
		refusal = oauthInvalidRequest
	default:
		refusal = oauthUnsupportedGrant
	}
	return made, refusal, err
}

func oauthError(code, description string) *api.TokenResponse {
	return &api.TokenResponse{
		Status: http.StatusBadRequest, CacheControl: noStore, Body: api.OAuthAnswer{Error: code, ErrorDescription: description},
	}
}
