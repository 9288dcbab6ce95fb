package authz

import "github.com/atrium-mesh/atrium/pkg/errs"

type rule int

const (
	ruleNone rule = iota // the zero value: no policy was chosen, which is refused at start
	rulePublic
	ruleAuthenticated
	ruleRequire
	ruleSelfOr
	ruleInternal
)

// Policy says who may call an operation. The zero value allows nobody and is refused when an operation is registered.
type Policy struct {
	rule       rule
	param      string
	permission string
}

// Public lets anybody call, signed in or not.
func Public() Policy { return Policy{rule: rulePublic} }

// Authenticated lets anybody call who holds a valid token.
func Authenticated() Policy { return Policy{rule: ruleAuthenticated} }

// Require lets those call who hold the permission, such as "users:read".
func Require(permission string) Policy { return Policy{rule: ruleRequire, permission: permission} }

// SelfOr lets people call for themselves, when the path parameter is their own id, and those who hold the permission.
func SelfOr(param, permission string) Policy {
	return Policy{rule: ruleSelfOr, param: param, permission: permission}
}

// Internal lets other services of the mesh call over NATS, whose credentials are the authorization. It is never offered over HTTP.
func Internal() Policy { return Policy{rule: ruleInternal} }

// IsZero reports that no policy was chosen.
func (p Policy) IsZero() bool { return p.rule == ruleNone }

// IsPublic reports that no token is needed.
func (p Policy) IsPublic() bool { return p.rule == rulePublic }

// IsInternal reports that only services of the mesh may call.
func (p Policy) IsInternal() bool { return p.rule == ruleInternal }

// Permission is what the policy asks for, or "".
func (p Policy) Permission() string { return p.permission }

// Param is the path parameter that holds the owner's id, or "".
func (p Policy) Param() string { return p.param }

// String says the policy as the API reference prints it.
func (p Policy) String() string {
	switch p.rule {
	case rulePublic:
		return "public"
	case ruleAuthenticated:
		return "signed in"
	case ruleRequire:
		return p.permission
	case ruleSelfOr:
		return "oneself or " + p.permission
	case ruleInternal:
		return "services only"
	default:
		return "nobody"
	}
}

// Check is nil when who (nil for nobody) may call. The value of a path parameter is asked of param. It answers
// [errs.Unauthenticated] or [errs.Forbidden].
func (p Policy) Check(who *Principal, param func(name string) string) error {
	switch p.rule {
	case rulePublic, ruleInternal:
		return nil
	case ruleNone:
		return forbidden()
	default:
	}
	if who == nil {
		return errs.New(errs.Unauthenticated, "token_missing", "Sign in first: this needs an access token.")
	}
	switch {
	case p.rule == ruleAuthenticated:
		return nil
	case p.rule == ruleSelfOr && who.Subject != "" && param(p.param) == who.Subject:
		return nil
	case who.Can(p.permission):
		return nil
	default:
		return forbidden()
	}
}

func forbidden() error {
	return errs.New(errs.Forbidden, "permission_denied", "You do not have the permission for this.")
}
