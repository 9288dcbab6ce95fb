package sessions

import (
	"context"
	"errors"
	"time"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/request"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/address"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/throttle"
)

// Login implements [api.Login].
func (s *Service) Login(ctx context.Context, in *api.LoginRequest) (*api.TokensResponse, error) {
	if err := mayHaveCookies(in); err != nil {
		return nil, err
	}
	who := credentials{email: in.Body.Email, password: in.Body.Password, device: in.Device}
	cookies := in.Body.Transport == api.TransportCookie
	if cookies {
		var err error
		if who.device, err = s.cookieOf(in.Device); err != nil {
			return nil, err
		}
	}
	made, err := s.signIn(ctx, who)
	if err != nil {
		return nil, err
	}
	out := s.answer(made, cookies)
	if cookies {
		if err := s.replaced(ctx, in.Refresh); err != nil {
			return nil, err
		}
		out.SetCookie = append(out.SetCookie, deviceCookie(who.device))
	}
	return out, nil
}

// replaced ends the session that the browser had until now, whoever it was of: the new cookies take the place of its cookies, so that
// nobody could sign out of it any more.
func (s *Service) replaced(ctx context.Context, refresh string) error {
	if refresh == "" {
		return nil
	}
	before, err := s.holder(ctx, refresh)
	if err != nil {
		return err
	}
	return s.leave(ctx, before)
}

// credentials are what somebody signs in with, and the cookie by which the browser is recognised; "" for none.
type credentials struct{ email, password, device string }

// mayHaveCookies refuses cookies that the browser would drop, before a session is made that nobody could use: the answer would be a success
// without tokens.
func mayHaveCookies(in *api.LoginRequest) error {
	if in.Body.Transport != api.TransportCookie || in.CookiesLost == "" {
		return nil
	}
	message := "A browser keeps no cookies for a page of another site. Ask for tokens in the body (transport: body), or serve the page from the " +
		"site of this server."
	if in.CookiesLost == api.LostInsecure {
		message = "A browser keeps these cookies only over TLS, or from localhost. Reach this server over https, or ask for tokens in the body " +
			"(transport: body)."
	}
	return errs.New(errs.Invalid, "cookies_not_possible", message).
		WithFields(errs.Field{Field: "body.transport", Code: "cookies_not_possible", Message: "must be body here"})
}

// signIn verifies a password and starts a session. Whatever is wrong, the same work is done before the answer. The attempt counts as
// failed from the beginning, so that many at the same time do not get a look each.
//
// A refusal for too many attempts comes no earlier than AnswerAfter, since some of them took a look at the password and some did not.
func (s *Service) signIn(ctx context.Context, who credentials) (issued, error) {
	timer := time.NewTimer(s.AnswerAfter)
	defer timer.Stop()
	made, err := s.attempt(ctx, who)
	if !errors.Is(err, errs.RateLimited) {
		return made, err
	}
	select {
	case <-timer.C:
		return made, err
	case <-ctx.Done():
		return made, context.Cause(ctx)
	}
}

func (s *Service) attempt(ctx context.Context, who credentials) (issued, error) {
	key := address.KeyOf(who.email)
	attempt, err := s.Throttle.Begin(ctx, throttle.Attempt{
		Action:   audit.SessionStarted,
		EmailKey: key,
		ClientIP: request.From(ctx).SeenIP(),
	})
	if err != nil {
		return issued{}, err
	}
	made, err := s.tryPassword(ctx, key, who)
	switch {
	case errors.Is(err, errs.Unauthenticated):
		return issued{}, attempt.Wrong(err)
	case err == nil, errors.Is(err, errs.Forbidden): // the password was right
		s.settle(ctx, attempt.Succeed)
		return made, err
	default:
		s.settle(ctx, attempt.Release)
		return issued{}, attempt.Wrong(err)
	}
}

// settle ends an attempt, also when the caller has gone by now. Failing that only makes the next attempt slower.
func (s *Service) settle(ctx context.Context, end func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	if err := end(ctx); err != nil {
		s.Logger.WarnContext(ctx, "an attempt to sign in still counts as failed", "error", err)
	}
}

const settleTimeout = 2 * time.Second

func (s *Service) tryPassword(ctx context.Context, key string, who credentials) (issued, error) {
	account, known, err := s.lookUp(ctx, key)
	if err != nil {
		return issued{}, err
	}
	result, err := s.Passwords.Verify(ctx, who.password, known.Hash)
	if err != nil {
		return issued{}, err
	}
	if !result.OK {
		return issued{}, s.refuse(ctx, account)
	}
	if s.RequireVerifiedEmail && !account.Verified() {
		if s.RevealsAccounts {
			return issued{}, errNotVerified()
		}
		// Whoever has just tried to sign up with an address must not find out like this whether it was free. So it counts as a failure, too:
		// if it did not, whoever is slowed down after five attempts would know that the address was taken. It does not stand in the owner's
		// way: proving the address is counted apart, and forgets these failures (see throttle.Attempt and Forgive).
		return issued{}, s.refuse(ctx, account)
	}
	made, err := s.start(ctx, entry{
		verified:   known,
		betterHash: s.rehash(ctx, who.password, result.NeedsRehash),
		device:     who.device,
	})
	if errors.Is(err, errs.Unauthenticated) { // disabled, or another password, since it was looked up
		return issued{}, s.refuse(ctx, account)
	}
	return made, err
}

// lookUp finds the account and how its password is verified; both are zero for an address that cannot sign in.
func (s *Service) lookUp(ctx context.Context, key string) (identity.Account, identity.Password, error) {
	account, err := s.Store.AccountByEmail(ctx, key)
	if err != nil && !errors.Is(err, errs.NotFound) {
		return identity.Account{}, identity.Password{}, err
	}
	known, err := s.Store.Password(ctx, account.ID) // also when there is no account, which takes as long
	if err != nil {
		return identity.Account{}, identity.Password{}, err
	}
	if !account.Active() {
		known = identity.Password{}
	}
	return account, known, nil
}

// refuse records a failure and answers alike for every reason.
func (s *Service) refuse(ctx context.Context, account identity.Account) error {
	subject := ""
	if account.EmailKey != "" {
		subject = account.ID.String()
	}
	entry, err := audit.New(ctx, s.Clock(), audit.SessionStarted, subject)
	if err != nil {
		return err
	}
	err = s.Store.InTx(ctx, func(tx identity.Tx) error { return tx.WriteAudit(ctx, entry.By(audit.System).Failed()) })
	if err != nil {
		return err
	}
	return errCredentials()
}

// rehash is a better hash of a password that is right, or "" when none is needed, or not now: signing in goes on without.
func (s *Service) rehash(ctx context.Context, password string, needed bool) string {
	if !needed {
		return ""
	}
	hash, err := s.Passwords.Hash(ctx, password)
	if err != nil {
		s.Logger.WarnContext(ctx, "a password is not hashed anew", "error", err)
		return ""
	}
	return hash
}
