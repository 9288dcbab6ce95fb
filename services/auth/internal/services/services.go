// Package services owns which services there are besides auth, by what each shows who it is, and the tokens that it gets for that.
//
//	service ──assertion, signed with SERVICE_SECRET──► auth ──token for one target──► service ──► target
//
// A token says to its target, and to nobody else, which service makes the hop. It grants nothing by itself: operations name the
// services that may ask for them.
package services

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/token"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/tokens"
)

// Store remembers which assertions were used.
type Store interface {
	// UseAssertion is false when it was used before. It is remembered until expiresAt.
	UseAssertion(ctx context.Context, hash []byte, expiresAt time.Time) (bool, error)
}

// Deps is what the service needs. All but Clock are required.
type Deps struct {
	Store  Store
	Access *tokens.Access
	Issuer string // that assertions are meant for
	Logger *slog.Logger
	Clock  func() time.Time // nil: time.Now
}

// Services gives tokens to services. It is safe for concurrent use.
type Services struct {
	Deps
	keys map[string][][]byte // by service
}

// self is the target of those who call auth.
const self = "auth"

// New makes it. The configuration must be valid.
func New(cfg Config, deps Deps) *Services {
	if deps.Clock == nil {
		deps.Clock = time.Now
	}
	return &Services{Deps: deps, keys: cfg.keys()}
}

// Issue implements [api.IssueServiceToken].
func (s *Services) Issue(ctx context.Context, in *api.IssueServiceTokenRequest) (*api.IssueServiceTokenResponse, error) {
	now := s.Clock()
	asks, err := token.ParseAssertion(in.Assertion, s.Issuer, func(service string) [][]byte { return s.keys[service] }, now)
	if err != nil {
		return nil, s.refuse(ctx, err)
	}
	if _, known := s.keys[asks.Target]; !known && asks.Target != self {
		return nil, s.refuse(ctx, fmt.Errorf("%s wants a token for an unknown service", asks.Service))
	}
	fresh, err := s.Store.UseAssertion(ctx, hash(asks), asks.ExpiresAt)
	if err != nil {
		return nil, fmt.Errorf("remember the assertion: %w", err)
	}
	if !fresh {
		return nil, s.refuse(ctx, fmt.Errorf("%s used an assertion twice", asks.Service))
	}
	raw, err := s.Access.IssueService(ctx, tokens.ServiceGrant{Service: asks.Service, Target: asks.Target, At: now.Truncate(time.Millisecond)})
	if err != nil {
		return nil, err
	}
	return &api.IssueServiceTokenResponse{Token: raw, ExpiresIn: int(s.Access.TTL / time.Second)}, nil
}

// refuse tells the log why, and the caller nothing.
func (s *Services) refuse(ctx context.Context, reason error) error {
	s.Logger.WarnContext(ctx, "a service's assertion was refused", "reason", reason.Error())
	return errs.New(errs.Unauthenticated, "assertion_refused", "This does not show which service asks.").WithCause(reason)
}

// hash names an assertion. Two services may choose the same id.
func hash(a token.Assertion) []byte {
	sum := sha256.Sum256([]byte(a.Service + "\x00" + a.ID))
	return slices.Clone(sum[:])
}
