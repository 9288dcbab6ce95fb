package token

import "github.com/atrium-mesh/atrium/pkg/errs"

// The codes of refused tokens; they are part of the contract.
const (
	CodeMissing = "token_missing" // there is none
	CodeInvalid = "token_invalid" // it cannot be read, is not meant for us, or is not signed by a key of the issuer, as after that key was withdrawn
	CodeExpired = "token_expired" // its time is over: refresh it
	CodeRevoked = "token_revoked" // it was signed out, or its holder's rights changed: refresh it, or sign in again

	// CodeKeysUnavailable is the code of [errs.Unavailable] when the issuer's keys cannot be had now.
	CodeKeysUnavailable = "issuer_keys_unavailable"
)

func errMissing() *errs.Error {
	return errs.New(errs.Unauthenticated, CodeMissing, "Sign in first: this needs an access token.")
}

// errInvalid tells the caller nothing about which check failed; the reason is for logs.
func errInvalid(reason error) *errs.Error {
	return errs.New(errs.Unauthenticated, CodeInvalid, "The access token is not valid.").WithCause(reason)
}

func errExpired() *errs.Error {
	return errs.New(errs.Unauthenticated, CodeExpired, "The access token has expired.")
}

func errRevoked() *errs.Error {
	return errs.New(errs.Unauthenticated, CodeRevoked, "The access token has been revoked.")
}

func errKeysUnavailable(cause error) *errs.Error {
	return errs.New(errs.Unavailable, CodeKeysUnavailable, "Tokens cannot be verified for a moment; try again.").
		WithRetryAfter(refetchAfter).WithCause(cause)
}
