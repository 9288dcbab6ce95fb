package accounts_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/accounts"
	"github.com/atrium-mesh/atrium/services/auth/internal/authtest"
	"github.com/atrium-mesh/atrium/services/auth/internal/faulttest"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/links"
	"github.com/atrium-mesh/atrium/services/auth/internal/mailboxes"
	"github.com/atrium-mesh/atrium/services/auth/internal/password"
	"github.com/atrium-mesh/atrium/services/auth/internal/revocation"
	"github.com/atrium-mesh/atrium/services/auth/internal/store"
	"github.com/atrium-mesh/atrium/services/auth/internal/throttle"
)

const (
	goodPassword  = "seven green bicycles"
	otherPassword = "nine orange umbrellas"
)

// bundle is accounts whose statements can fail, and accounts on the same database whose cannot.
type bundle struct {
	*faulttest.Bench
	tested, plain *accounts.Service
	links         *links.Links
	clock         func() time.Time
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{Bench: faulttest.New(t), clock: time.Now}
	hasher, err := password.NewHasher(password.Config{MemoryKiB: 7168, Iterations: 1, Parallelism: 1, QueueLength: 100, QueueWait: time.Minute})
	require.NoError(t, err)
	policy, err := password.NewPolicy(password.PolicyConfig{})
	require.NoError(t, err)
	counter, err := mailboxes.New(mailboxes.Config{Hourly: 4, Daily: 10}, []byte("key"), nil)
	require.NoError(t, err)
	service := func(s *store.Store) *accounts.Service {
		b.links = links.New(links.Config{
			BaseURL: "https://a.test", VerifyEmail: time.Hour, ResetPassword: time.Hour, Invitation: time.Hour, NotMe: time.Hour,
		}, links.Deps{Store: s, Key: []byte("key of links")})
		return accounts.New(accounts.Config{RegistrationEnabled: true, RevealsAccounts: true}, accounts.Deps{
			Mailboxes: counter,
			Store:     s, Passwords: hasher, Policy: policy, Throttle: throttle.New(s.Throttle(), []byte("key"), nil, nil), Links: b.links,
			Ender: revocation.NewEnder(time.Minute), Clock: func() time.Time { return b.clock() },
		})
	}
	b.tested, b.plain = service(b.Store), service(b.Plain)
	return b
}

func (b *bundle) account(t *testing.T, email string) uuid.UUID {
	t.Helper()
	out, err := b.plain.Register(t.Context(), &api.RegisterRequest{Body: api.Registration{Email: email, Password: goodPassword, FullName: "Ada"}})
	require.NoError(t, err)
	return uuid.MustParse(out.Body.ID)
}

// administrator makes somebody who may invite.
func (b *bundle) administrator(t *testing.T) uuid.UUID {
	t.Helper()
	id := b.account(t, "root@example.com")
	require.NoError(t, b.Plain.AddRoles(t.Context(), id, []string{api.RoleAdmin}, "test", time.Now()))
	return id
}

func (b *bundle) idOf(t *testing.T, email string) uuid.UUID {
	t.Helper()
	account, err := b.Plain.AccountByEmail(t.Context(), email)
	require.NoError(t, err)
	return account.ID
}

func (b *bundle) link(t *testing.T, account uuid.UUID, purpose api.LinkPurpose) string {
	t.Helper()
	made, err := b.links.Make(t.Context(), b.Plain, purpose, &account, uuid.Must(uuid.NewV7()))
	require.NoError(t, err)
	return made.Token
}

func (b *bundle) session(t *testing.T, account uuid.UUID) uuid.UUID {
	t.Helper()
	id := uuid.Must(uuid.NewV7())
	now := time.Now()
	require.NoError(t, b.Plain.AddSession(t.Context(), identity.Session{
		ID: id, AccountID: account, CreatedAt: now, LastSeenAt: now, IssuedAt: now, ExpiresAt: now.Add(time.Hour),
	}))
	return id
}

// Whatever statement of whatever operation fails: all of it is there, or nothing.
func TestEachStatementFails(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(t *testing.T, b *bundle) func(context.Context) error{
		"register": func(_ *testing.T, b *bundle) func(context.Context) error {
			return func(ctx context.Context) error {
				_, err := b.tested.Register(ctx, &api.RegisterRequest{
					Body: api.Registration{Email: "a@example.com", Password: goodPassword, FullName: "Ada"},
				})
				return err
			}
		},
		"create": func(t *testing.T, b *bundle) func(context.Context) error {
			id, root := uuid.Must(uuid.NewV7()), b.administrator(t)
			return func(ctx context.Context) error {
				_, err := b.tested.Create(authtest.As(ctx, root, api.Permissions()...), &api.CreateAccountRequest{ID: id, Email: "a@example.com", FullName: "Ada", Roles: []string{"support"}})
				return err
			}
		},
		"verify": func(t *testing.T, b *bundle) func(context.Context) error {
			token := b.link(t, b.account(t, "a@example.com"), api.LinkVerifyEmail)
			return func(ctx context.Context) error {
				b.ForgetFailures(ctx, t)
				_, err := b.tested.VerifyEmail(ctx, &api.VerifyEmailRequest{Body: api.Verification{Token: token, Password: goodPassword}})
				return err
			}
		},
		"verify_with_another_password": func(t *testing.T, b *bundle) func(context.Context) error {
			id := b.account(t, "a@example.com")
			b.session(t, id)
			token := b.link(t, id, api.LinkVerifyEmail)
			return func(ctx context.Context) error {
				_, err := b.tested.VerifyEmail(ctx, &api.VerifyEmailRequest{Body: api.Verification{Token: token, NewPassword: otherPassword}})
				return err
			}
		},
		"disown": func(t *testing.T, b *bundle) func(context.Context) error {
			id := b.account(t, "a@example.com")
			b.session(t, id)
			token := b.link(t, id, api.LinkVerifyEmail)
			return func(ctx context.Context) error {
				_, err := b.tested.Disown(ctx, &api.DisownRequest{Body: api.LinkToken{Token: token}})
				return err
			}
		},
		"resend": func(t *testing.T, b *bundle) func(context.Context) error {
			b.account(t, "a@example.com")
			later := time.Now().Add(time.Hour)
			b.clock = func() time.Time { return later }
			return func(ctx context.Context) error {
				_, err := b.tested.ResendVerification(ctx, &api.ResendVerificationRequest{Body: api.EmailAddress{Email: "a@example.com"}})
				return err
			}
		},
		"forgot": func(t *testing.T, b *bundle) func(context.Context) error {
			b.account(t, "a@example.com")
			return func(ctx context.Context) error {
				_, err := b.tested.ForgotPassword(ctx, &api.ForgotPasswordRequest{Body: api.EmailAddress{Email: "a@example.com"}})
				return err
			}
		},
		"reset": func(t *testing.T, b *bundle) func(context.Context) error {
			id := b.account(t, "a@example.com")
			b.session(t, id)
			token := b.link(t, id, api.LinkResetPassword)
			return func(ctx context.Context) error {
				_, err := b.tested.ResetPassword(ctx, &api.ResetPasswordRequest{Body: api.PasswordReset{Token: token, Password: otherPassword}})
				return err
			}
		},
		"change": func(t *testing.T, b *bundle) func(context.Context) error {
			id := b.account(t, "a@example.com")
			mine := b.session(t, id)
			b.session(t, id)
			who := &authz.Principal{Subject: id.String(), SessionID: mine.String(), OrgID: identity.Org}
			return func(ctx context.Context) error {
				b.ForgetFailures(ctx, t)
				_, err := b.tested.ChangePassword(authz.WithPrincipal(ctx, who), &api.ChangePasswordRequest{
					Body: api.PasswordChange{CurrentPassword: goodPassword, NewPassword: otherPassword},
				})
				return err
			}
		},
		"accept_invitation": func(t *testing.T, b *bundle) func(context.Context) error {
			id := uuid.Must(uuid.NewV7())
			root := authtest.As(t.Context(), b.administrator(t), api.Permissions()...)
			_, err := b.plain.Create(root, &api.CreateAccountRequest{ID: id, Email: "a@example.com", FullName: "Ada"})
			require.NoError(t, err)
			token := b.link(t, id, api.LinkInvitation)
			return func(ctx context.Context) error {
				_, err := b.tested.AcceptInvitation(ctx, &api.AcceptInvitationRequest{
					Body: api.InvitationAcceptance{Token: token, Password: goodPassword, FullName: "Countess"},
				})
				return err
			}
		},
		"not_me": func(t *testing.T, b *bundle) func(context.Context) error {
			id := b.account(t, "a@example.com")
			b.session(t, id)
			token := b.link(t, id, api.LinkNotMe)
			return func(ctx context.Context) error {
				_, err := b.tested.NotMe(ctx, &api.NotMeRequest{Body: api.LinkToken{Token: token}})
				return err
			}
		},
		"get": func(t *testing.T, b *bundle) func(context.Context) error {
			id := b.account(t, "a@example.com")
			return func(ctx context.Context) error {
				_, err := b.tested.Get(authtest.As(ctx, id), &api.GetAccountRequest{ID: id})
				return err
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			statements := b.EachStatementFails(t, prepare(t, b))
			require.GreaterOrEqual(t, statements, 2)
		})
	}
}

// A password that is changed twice at the same time is changed once: the second confirmed one that is no more.
func TestChangePassword_twice_at_the_same_time(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.account(t, "a@example.com")
	who := &authz.Principal{Subject: id.String(), SessionID: b.session(t, id).String(), OrgID: identity.Org}
	results := make(chan error, 4)
	for range cap(results) {
		go func() {
			_, err := b.plain.ChangePassword(authz.WithPrincipal(t.Context(), who), &api.ChangePasswordRequest{
				Body: api.PasswordChange{CurrentPassword: goodPassword, NewPassword: otherPassword},
			})
			results <- err
		}()
	}
	changed := 0
	for range cap(results) {
		if <-results == nil {
			changed++
		}
	}
	require.Equal(t, 1, changed)
}

func TestAnswersNotBefore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	slow := *b.plain
	slow.AnswerAfter = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := slow.ForgotPassword(ctx, &api.ForgotPasswordRequest{Body: api.EmailAddress{Email: "nobody@example.com"}})
		done <- err
	}()
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
}
