package authz

import (
	"slices"
	"strings"

	"github.com/atrium-mesh/atrium/pkg/errs"
)

type rule int

const (
	ruleNone rule = iota // the zero value: no policy was chosen, which is refused at start
	rulePublic
	ruleAuthenticated
	ruleRequire
	ruleSelfOr
	ruleServices
)

// Policy says who may call an operation. The zero value allows nobody and is refused when an operation is registered.
type Policy struct {
	rule       rule
	param      string
	permission string
	services   []string // one of them has to make the hop; empty: the hop does not matter
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

// Services lets these services of the mesh call for themselves, over NATS, with an identity that auth signed. No person may, whatever
// they hold, and nobody without such an identity: where a call comes from grants nothing. It is never offered over HTTP.
func Services(names ...string) Policy {
	if len(names) == 0 {
		panic("authz: Services without a service would let nobody call")
	}
	return Policy{rule: ruleServices, services: names}
}

// By narrows the policy: the hop must be made by one of these services besides, for whoever the policy lets call.
func (p Policy) By(services ...string) Policy {
	p.services = services
	return p
}

// IsZero reports that no policy was chosen.
func (p Policy) IsZero() bool { return p.rule == ruleNone }

// IsPublic reports that no token is needed.
func (p Policy) IsPublic() bool { return p.rule == rulePublic }

// IsInternal reports that only services of the mesh may call, be it for themselves or for a person.
func (p Policy) IsInternal() bool { return p.rule == ruleServices || len(p.services) > 0 }

// Services are those that may make the hop; none when it does not matter who makes it.
func (p Policy) Services() []string { return slices.Clone(p.services) }

// Permission is what the policy asks for, or "".
func (p Policy) Permission() string { return p.permission }

// Param is the path parameter that holds the owner's id, or "".
func (p Policy) Param() string { return p.param }

// String says the policy as the API reference prints it.
func (p Policy) String() string {
	if p.rule == ruleServices {
		return p.hop()
	}
	text := "nobody"
	switch p.rule {
	case rulePublic:
		text = "public"
	case ruleAuthenticated:
		text = "signed in"
	case ruleRequire:
		text = p.permission
	case ruleSelfOr:
		text = "oneself or " + p.permission
	default:
	}
	if len(p.services) > 0 {
		text += ", asked by " + p.hop()
	}
	return text
}

func (p Policy) hop() string {
	noun := "the service "
	if len(p.services) > 1 {
		noun = "the services "
	}
	return noun + strings.Join(p.services, ", ")
}

// Check is nil when the caller may call. The value of a path parameter is asked of param. It answers [errs.Unauthenticated] or
// [errs.Forbidden].
func (p Policy) Check(by Caller, param func(name string) string) error {
	if err := p.checkHop(by.Service); err != nil {
		return err
	}
	switch p.rule {
	case rulePublic, ruleServices:
		return nil
	case ruleNone:
		return forbidden()
	default:
	}
	who := by.Principal
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

func (p Policy) checkHop(service string) error {
	switch {
	case p.rule != ruleServices && len(p.services) == 0:
		return nil
	case service == "":
		return errs.New(errs.Unauthenticated, "service_missing", "This is for services of the mesh that say who they are.")
	case !slices.Contains(p.services, service):
		return errs.New(errs.Forbidden, "service_not_allowed", "This service may not ask for this.")
	default:
		return nil
	}
}

func forbidden() error {
	return errs.New(errs.Forbidden, "permission_denied", "You do not have the permission for this.")
}
