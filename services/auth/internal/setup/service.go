package setup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/pkg/person"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/accounts"
	"github.com/atrium-mesh/atrium/services/auth/internal/address"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/links"
	"github.com/atrium-mesh/atrium/services/auth/internal/password"
)

// Store keeps accounts, roles and the setup link.
type Store interface {
	// CountMembers counts who has a role, however their accounts stand: an erased one has none.
	CountMembers(ctx context.Context, role string) (int64, error)
	InTx(ctx context.Context, fn func(tx Tx) error) error
}

// Tx is one transaction on them.
type Tx interface {
	identity.Tx
	CountMembers(ctx context.Context, role string) (int64, error)
	// OpenLink is the newest link of a purpose that can be redeemed at an instant.
	OpenLink(ctx context.Context, purpose string, now time.Time) (identity.Link, error)
	// UseLinks makes every link of a purpose useless.
	UseLinks(ctx context.Context, purpose string, at time.Time) error
}

// Deps is what the service needs. All but Clock are required.
type Deps struct {
	Store     Store
	Passwords *password.Hasher
	Policy    *password.Policy
	Links     *links.Links
	Logger    *slog.Logger
	Clock     func() time.Time // nil: time.Now
}

// Service makes the first administrator.
type Service struct {
	Config
	Deps
}

// New makes the service.
func New(cfg Config, deps Deps) *Service {
	if deps.Clock == nil {
		deps.Clock = time.Now
	}
	return &Service{Config: cfg, Deps: deps}
}

// Start makes the configured administrator when there is none. It is the Start of a lifecycle component; Stop has nothing to do.
func (s *Service) Start(ctx context.Context) error {
	admins, err := s.Store.CountMembers(ctx, api.RoleAdmin)
	if err != nil || admins > 0 {
		return err
	}
	if s.Email == "" {
		s.Logger.WarnContext(ctx, "there is no administrator yet: set ADMIN_EMAIL and ADMIN_PASSWORD")
		return nil
	}
	account, err := s.fromConfig(ctx)
	switch {
	case errors.Is(err, errAlreadySetUp):
		return nil
	case errors.Is(err, errs.Conflict):
		// Whoever has that account need not be who configured it: it is not made an administrator.
		s.Logger.ErrorContext(ctx, "ADMIN_EMAIL has an account that is no administrator; set another address", "error", err)
		return nil
	case errors.Is(err, errs.Invalid): // what Validate could not see: a breach, the name of this site
		return fmt.Errorf("make the first administrator: %w", variables(err))
	case err != nil:
		return fmt.Errorf("make the first administrator: %w", err)
	}
	s.Logger.InfoContext(ctx, "the first administrator was made", "account", account.ID)
	return nil
}

// Stop does nothing.
func (s *Service) Stop(context.Context) error { return nil }

func (s *Service) fromConfig(ctx context.Context) (identity.Account, error) {
	made, err := s.prepare(ctx, api.Setup{Email: s.Email, Password: s.Password, FullName: s.Name})
	if err != nil {
		return identity.Account{}, err
	}
	return s.add(ctx, made, func(context.Context, Tx) error { return nil })
}

var errAlreadySetUp = errs.New(errs.Conflict, "already_set_up", "There is an administrator already; sign in.")

// Do implements [api.SetupFirstAdmin].
func (s *Service) Do(ctx context.Context, in *api.SetupRequest) (*api.AccountResponse, error) {
	admins, err := s.Store.CountMembers(ctx, api.RoleAdmin)
	if err != nil {
		return nil, err
	}
	if admins > 0 {
		return nil, errAlreadySetUp
	}
	if _, err := s.Links.Look(ctx, api.LinkSetup, in.Body.Token); err != nil {
		return nil, err
	}
	made, err := s.prepare(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	account, err := s.add(ctx, made, func(ctx context.Context, tx Tx) error {
		_, err := s.Links.Redeem(ctx, tx, api.LinkSetup, in.Body.Token)
		return err
	})
	if err != nil {
		return nil, err
	}
	return accounts.Registered(account), nil
}

// prepare checks what the administrator shall be, and hashes the password outside of any transaction.
func (s *Service) prepare(ctx context.Context, in api.Setup) (made accounts.NewAccount, err error) {
	made = accounts.NewAccount{Origin: api.OriginSetup, Roles: []string{api.RoleAdmin, api.RoleUser}, Verified: true}
	if made.ID, err = identity.NewID(); err != nil {
		return made, err
	}
	if made.Address, err = address.Parse("body.email", in.Email); err != nil {
		return made, err
	}
	if made.FullName, err = person.Name("body.full_name", in.FullName); err != nil {
		return made, err
	}
	if err = s.Policy.Choose(ctx, "body.password", in.Password, password.Person{Email: made.Address.Typed, FullName: made.FullName}); err != nil {
		return made, err
	}
	made.PasswordHash, err = s.Passwords.Hash(ctx, in.Password)
	return made, err
}

// add makes the administrator, unless there is one by now.
func (s *Service) add(ctx context.Context, made accounts.NewAccount, first func(context.Context, Tx) error) (account identity.Account, err error) {
	ctx = events.WithActor(ctx, identity.Org, made.ID.String())
	err = s.Store.InTx(ctx, func(tx Tx) error {
		needed, err := needed(ctx, tx)
		if err != nil {
			return err
		}
		if !needed {
			return errAlreadySetUp
		}
		if err := first(ctx, tx); err != nil {
			return err
		}
		now := s.Clock()
		if err := tx.UseLinks(ctx, string(api.LinkSetup), now); err != nil {
			return err
		}
		account, err = accounts.Add(ctx, tx, made, now)
		return err
	})
	return account, err
}

// needed reports whether nobody is an administrator, and lets no other transaction decide the same until this one ends. One who is kept out,
// deleted, or was invited and has not come yet, is one all the same: keeping administrators out must not open the way for a stranger.
func needed(ctx context.Context, tx Tx) (bool, error) {
	if _, err := tx.LockRole(ctx, api.RoleAdmin); err != nil {
		return false, err
	}
	admins, err := tx.CountMembers(ctx, api.RoleAdmin)
	return admins == 0, err
}

// Tell tells the link that makes the first administrator, or "" when there is one.
func (s *Service) Tell(ctx context.Context, tell func(link string)) error {
	link, err := s.Link(ctx)
	if err != nil {
		return err
	}
	tell(link)
	return nil
}

// Link is the one-time link that makes the first administrator, or "" when there is one. As long as a link is good every call answers
// the same one.
func (s *Service) Link(ctx context.Context) (url string, err error) {
	err = s.Store.InTx(ctx, func(tx Tx) error {
		needed, err := needed(ctx, tx)
		if err != nil || !needed {
			return err
		}
		link, err := tx.OpenLink(ctx, string(api.LinkSetup), s.Clock())
		if err == nil {
			url = s.Links.Of(link).URL
			return nil
		}
		if !errors.Is(err, errs.NotFound) {
			return err
		}
		delivery, err := identity.NewID()
		if err != nil {
			return err
		}
		made, err := s.Links.Make(ctx, tx, api.LinkSetup, nil, delivery)
		url = made.URL
		return err
	})
	return url, err
}
