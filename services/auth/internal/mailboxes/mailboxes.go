// Package mailboxes owns how many mails a stranger can have sent to somebody: to verify an address, to reset a password, to accept an
// invitation, or to tell that somebody tried to sign up. They are counted for the mailbox and not for the account, since one mailbox has
// as many addresses as its owner likes, and a flood of mails is felt there.
//
// One client network has at most half of a mailbox's mails, its share: whoever knows an address could otherwise keep its owner from getting
// a mail. Somebody with several networks still can; that takes as many of them as shares make up the whole.
//
// A mail is counted in the transaction that asks for it. Whoever asked learns nothing of a mail that is held back: the answer would tell
// that there is an account.
package mailboxes

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/request"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/devices"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

const (
	hour = time.Hour
	day  = 24 * time.Hour
)

// Retention is how long a mail counts.
const Retention = day

// Config is how many mails a mailbox gets.
type Config struct {
	Hourly int `env:"MAILBOX_HOURLY" envDefault:"4" doc:"How many mails of verification, reset and sign-up one mailbox gets within an hour. One client network may ask for half of them, rounded up."`
	Daily  int `env:"MAILBOX_DAILY" envDefault:"10" doc:"How many of these mails one mailbox gets within a day, at most 1000. One client network may ask for half of them, rounded up."`
}

const mostDaily = 1000 // instants in one row

// Validate reports everything that is wrong with the configuration at once.
func (c Config) Validate() error {
	var problems []error
	if c.Hourly < 1 {
		problems = append(problems, config.Problemf("MAILBOX_HOURLY", "must be at least 1."))
	}
	if c.Daily < c.Hourly || c.Daily > mostDaily {
		problems = append(problems, config.Problemf("MAILBOX_DAILY", "must be at least MAILBOX_HOURLY, and at most %d.", mostDaily))
	}
	return errors.Join(problems...)
}

// share is what one client network may ask for.
func (c Config) share() Config {
	return Config{
		Hourly: (c.Hourly + 1) / 2,
		Daily:  (c.Daily + 1) / 2,
	}
}

// Tx is what counting takes part in.
type Tx interface {
	identity.Mailboxes
	WriteAudit(ctx context.Context, e audit.Entry) error
}

// Counter counts mails. It is safe for concurrent use.
type Counter struct {
	Config
	key  []byte
	held metric.Int64Counter
}

// New makes a counter. Key keeps the addresses secret and must be the same for all replicas. Without a provider nothing is measured.
func New(cfg Config, key []byte, provider metric.MeterProvider) (*Counter, error) {
	if provider == nil {
		provider = noop.NewMeterProvider()
	}
	held, err := provider.Meter("atrium/auth").Int64Counter("atrium.auth.mails.held",
		metric.WithDescription("Mails that were not sent because the mailbox had enough of them."))
	if err != nil {
		return nil, fmt.Errorf("measure the mails that are held back: %w", err)
	}
	return &Counter{Config: cfg, key: key, held: held}, nil
}

// Claim counts a mail to the mailbox of an account's address, and to the share of the client network that ctx's request comes from, and is
// zero. When the mailbox or the share has had enough it counts nothing and is how long to wait: then the mail is not to be asked for. The
// audit trail says so, once an hour however often somebody asks.
func (c *Counter) Claim(ctx context.Context, tx Tx, account uuid.UUID, emailKey string, now time.Time) (wait time.Duration, err error) {
	// The whole is locked first, by everybody: a share is its mailbox's alone, so nobody waits for a share who holds another one.
	whole, err := lock(ctx, tx, c.hash(emailKey), now)
	if err != nil {
		return 0, err
	}
	if wait = c.wait(whole.Mails, now); wait > 0 { // no row for each network that asks in vain
		return wait, c.hold(ctx, tx, whole, account, now)
	}
	share, err := lock(ctx, tx, c.shareHash(emailKey, request.From(ctx).SeenIP()), now)
	if err != nil {
		return 0, err
	}
	if wait = c.share().wait(share.Mails, now); wait > 0 {
		return wait, c.hold(ctx, tx, whole, account, now)
	}
	for _, box := range []identity.Mailbox{whole, share} {
		box.Mails = append(box.Mails, now)
		if err := tx.SaveMailbox(ctx, box, now); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// lock reads the mails that still count.
func lock(ctx context.Context, tx Tx, key []byte, now time.Time) (identity.Mailbox, error) {
	box, err := tx.LockMailbox(ctx, key, now)
	box.Mails = since(box.Mails, now.Add(-day))
	return box, err
}

// hold tells the trail of a mail that is not sent, unless it was told of one to this mailbox within the hour.
func (c *Counter) hold(ctx context.Context, tx Tx, whole identity.Mailbox, account uuid.UUID, now time.Time) error {
	c.held.Add(ctx, 1)
	if whole.HeldAt != nil && now.Sub(*whole.HeldAt) < hour {
		return nil
	}
	whole.HeldAt = &now
	if err := tx.SaveMailbox(ctx, whole, now); err != nil {
		return err
	}
	entry, err := audit.New(ctx, now, audit.MailHeldBack, account.String())
	if err != nil {
		return err
	}
	return tx.WriteAudit(ctx, entry.By(audit.System).Failed()) // nobody knows who asked
}

// Force counts a mail that is sent in any case. It takes nothing of a network's share.
func (c *Counter) Force(ctx context.Context, tx Tx, emailKey string, now time.Time) error {
	box, err := lock(ctx, tx, c.hash(emailKey), now)
	if err != nil {
		return err
	}
	box.Mails = append(box.Mails, now)
	if extra := len(box.Mails) - c.Daily; extra > 0 {
		box.Mails = box.Mails[extra:]
	}
	return tx.SaveMailbox(ctx, box, now)
}

// wait goes by mails of the last day, oldest first.
func (c Config) wait(mails []time.Time, now time.Time) time.Duration {
	var wait time.Duration
	if n := len(mails) - c.Daily; n >= 0 {
		wait = mails[n].Add(day).Sub(now)
	}
	recent := since(mails, now.Add(-hour))
	if n := len(recent) - c.Hourly; n >= 0 {
		wait = max(wait, recent[n].Add(hour).Sub(now))
	}
	return wait
}

func since(mails []time.Time, from time.Time) []time.Time {
	return slices.DeleteFunc(slices.Clone(mails), func(t time.Time) bool { return !t.After(from) })
}

func (c *Counter) hash(emailKey string) []byte {
	h := hmac.New(sha256.New, c.key)
	_, _ = h.Write([]byte(Of(emailKey)))
	return h.Sum(nil)
}

// shareHash is that of a network's share of a mailbox. Clients without an address, as those of another service, are one network.
func (c *Counter) shareHash(emailKey, clientIP string) []byte {
	network, _ := devices.Network(clientIP)
	h := hmac.New(sha256.New, c.key)
	_, _ = h.Write([]byte(Of(emailKey) + "\x00" + network)) // an address has no NUL, so this is no mailbox
	return h.Sum(nil)
}

// Of is the mailbox of an address, which is given in the form of address.KeyOf. What follows a plus is the owner's own label (RFC 5233),
// and Gmail's dots mean nothing.
func Of(emailKey string) string {
	at := strings.LastIndexByte(emailKey, '@')
	if at < 0 {
		return emailKey
	}
	local, domain := emailKey[:at], emailKey[at+1:]
	if plus := strings.IndexByte(local, '+'); plus > 0 {
		local = local[:plus]
	}
	if domain == "gmail.com" || domain == "googlemail.com" {
		local, domain = strings.ReplaceAll(local, ".", ""), "gmail.com"
	}
	return local + "@" + domain
}
