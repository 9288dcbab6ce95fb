package deliveries

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/metric"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/lifecycle"
	"github.com/atrium-mesh/atrium/pkg/mail"
	"github.com/atrium-mesh/atrium/pkg/mail/letter"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/notifications/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/preferences"
	"github.com/atrium-mesh/atrium/services/notifications/internal/recipients"
	"github.com/atrium-mesh/atrium/services/notifications/internal/templates"
)

// The reasons of deliveries that were not sent, beside those of package mail.
const (
	ReasonErased     = "recipient_erased"
	ReasonInactive   = "recipient_inactive"
	ReasonNoAddress  = "no_address"
	ReasonUnverified = "address_unverified" // nobody has proved to own it
	ReasonTurnedOff  = "turned_off"
	ReasonNotNeeded  = "not_needed" // what the link is for is done

	// ReasonNotAskedFor is auth's code for a link that nothing is known to be for: it was asked for too long ago, or another mail has it.
	ReasonNotAskedFor = "link_not_asked_for"

	ReasonNoAccount  = "account_gone"     // auth does not know the account
	ReasonNoLink     = "link_unavailable" // auth is away
	ReasonLink       = "link_refused"
	ReasonTemplate   = "template_failed" // a mistake of ours
	ReasonSendErased = "send_gone"
	ReasonEarly      = "facts_missing" // what it tells is on its way
)

// DelivererConfig is everything that a Deliverer needs.
type DelivererConfig struct {
	InTx         func(context.Context, func(Tx) error) error
	Templates    *templates.Set
	Layout       *letter.Layout
	AnnounceLink func(context.Context, *auth.AnnounceLinkRequest) (*auth.AnnounceLinkResponse, error)
	SendLink     func(context.Context, *auth.SendLinkRequest) (*auth.SendLinkResponse, error)
	Send         func(context.Context, mail.Message) error // nil, or an error that holds a *mail.Error
	Links        *preferences.Links
	ProductURL   string
	Retry        Retry
	Clock        func() time.Time
	Meter        metric.MeterProvider // nil: none
	Logger       *slog.Logger
}

// Deliverer makes attempts to deliver.
type Deliverer struct {
	DelivererConfig
	attempts metric.Int64Counter
}

// NewDeliverer makes a deliverer.
func NewDeliverer(c DelivererConfig) *Deliverer { return &Deliverer{c, newAttempts(c.Meter)} }

// attempt is one try, with what is known when it begins.
type attempt struct {
	Delivery
	to          recipients.Recipient
	chosen      *bool // what the recipient chose for the category by e-mail
	title, body string
}

// outcome is how an attempt ended: sent when reason is "".
type outcome struct {
	reason, detail string
	state          api.DeliveryState // of a failure: failed, dead or skipped
	locale         string
	address        string // where it was sent; "": nowhere
}

// Deliver makes one attempt. It returns how long to wait for the next, or 0 when there is none to make. An error means that nothing is
// known of the attempt, such as when the database is away.
func (d *Deliverer) Deliver(ctx context.Context, id uuid.UUID) (time.Duration, error) {
	a, err := d.begin(ctx, id)
	if errs.KindOf(err) == errs.NotFound {
		return 0, nil // another run of the same job has settled it
	}
	if err != nil {
		return 0, fmt.Errorf("begin an attempt: %w", err)
	}
	wait, err := d.settle(ctx, a, d.try(ctx, a))
	if err != nil {
		return 0, fmt.Errorf("settle an attempt: %w", err)
	}
	return wait, nil
}

func (d *Deliverer) begin(ctx context.Context, id uuid.UUID) (attempt, error) {
	var a attempt
	err := d.InTx(ctx, func(tx Tx) error {
		a = attempt{}
		var err error
		if a.Delivery, err = tx.StartAttempt(ctx, id); err != nil {
			return err
		}
		if a.to, err = tx.Recipient(ctx, a.RecipientID); err != nil {
			return fmt.Errorf("read the recipient: %w", err)
		}
		choices, _, err := tx.Preferences(ctx, a.RecipientID)
		if err != nil {
			return fmt.Errorf("read the recipient's preferences: %w", err)
		}
		for _, c := range choices {
			if c.Category == a.Category && c.Channel == a.Channel {
				a.chosen = &c.Enabled
			}
		}
		if a.Data.SendID == uuid.Nil {
			return nil
		}
		a.title, a.body, err = tx.SendText(ctx, a.Data.SendID)
		if errs.KindOf(err) == errs.NotFound {
			return nil // the empty title says it
		}
		return err
	})
	return a, err
}

// try does everything that is not the database's.
func (d *Deliverer) try(ctx context.Context, a attempt) outcome {
	if reason := a.nobody(); reason != "" {
		return outcome{state: api.DeliverySkipped, reason: reason}
	}
	if a.early() {
		return outcome{state: api.DeliveryFailing, reason: ReasonEarly}
	}
	data := a.Data.Words(a.to)
	data.Title, data.Body = a.title, a.body
	if templates.Name(a.Template) == templates.AccountDeleted && a.dated() { // a date that stayed after a restoration means nothing
		data.Until = *a.to.EraseAt
	}
	if kind, _ := KindOf(templates.Name(a.Template)); kind.Link != "" {
		return d.throughAuth(ctx, a, kind.Link, data)
	}
	return d.directly(ctx, a, data)
}

// directly sends a mail without a link of auth's.
func (d *Deliverer) directly(ctx context.Context, a attempt, data templates.Data) outcome {
	written, failed := d.write(ctx, a, data)
	if failed.reason != "" {
		return failed
	}
	laid, err := d.Layout.Fill(written, d.links(a))
	if err != nil {
		return d.mistake(ctx, a, err)
	}
	err = d.Send(ctx, mail.Message{
		ID:             a.ID.String(),
		To:             a.to.Email,
		Locale:         laid.Locale,
		Subject:        laid.Subject,
		Text:           laid.Text,
		HTML:           laid.HTML,
		UnsubscribeURL: d.links(a).Unsubscribe,
	})
	if err == nil {
		return outcome{locale: laid.Locale}
	}
	failure, ok := errors.AsType[*mail.Error](err)
	if !ok {
		failure = &mail.Error{Reason: mail.ReasonUnreachable, Temporary: true}
	}
	return refused(failure.Reason, failure.Detail, failure.Temporary, outcome{locale: laid.Locale})
}

// write writes the letter.
func (d *Deliverer) write(ctx context.Context, a attempt, data templates.Data) (letter.Letter, outcome) {
	written, err := d.Templates.Render(templates.Name(a.Template), data)
	if err != nil {
		return written, d.mistake(ctx, a, err)
	}
	return written, outcome{}
}

func (d *Deliverer) mistake(ctx context.Context, a attempt, err error) outcome {
	d.Logger.ErrorContext(ctx, "a mail cannot be rendered", "template", a.Template, "delivery_id", a.ID, "error", err)
	return outcome{state: api.DeliveryDead, reason: ReasonTemplate}
}

// refused is how an attempt ended at the mail server, with what else is known of it.
func refused(reason, detail string, temporary bool, o outcome) outcome {
	o.state, o.reason, o.detail = api.DeliveryDead, reason, detail
	if temporary {
		o.state = api.DeliveryFailing
	}
	return o
}

// nobody is why there is nobody to send it to, or "".
func (a attempt) nobody() string {
	switch {
	case a.to.Erased:
		return ReasonErased
	case !a.to.Active && !a.tellsOfStanding():
		return ReasonInactive
	case a.to.Email == "":
		return ReasonNoAddress
	case !a.to.Verified && preferences.NeedsProof(a.Category):
		return ReasonUnverified
	case !preferences.Allows(a.Category, a.chosen):
		return ReasonTurnedOff
	case a.Data.SendID != uuid.Nil && a.title == "":
		return ReasonSendErased
	default:
		return ""
	}
}

// tellsOfStanding reports whether it is the mail about being kept out, which has to reach who is kept out.
func (a attempt) tellsOfStanding() bool {
	kind, _ := KindOf(templates.Name(a.Template))
	return kind.Inactive
}

// early reports whether what the mail tells has not arrived yet: auth says that an account was deleted, and users, a moment later, until
// when that can be taken back. After a few attempts it goes out without.
func (a attempt) early() bool {
	return templates.Name(a.Template) == templates.AccountDeleted && !a.dated() && a.Attempts <= patience
}

// dated reports whether it is known until when a deletion can be taken back. A date from before the deletion is an earlier one's.
func (a attempt) dated() bool { return a.to.EraseAt != nil && a.to.EraseAt.After(a.Data.At) }

// patience is how many attempts wait for what belongs into a mail: some 35 seconds.
const patience = 3

// links are where a mail of ours leads.
func (d *Deliverer) links(a attempt) letter.Links {
	var links letter.Links
	if templates.Name(a.Template) == templates.Welcome {
		links.Action = d.ProductURL
	}
	if info, ok := a.Category.Info(); ok && !info.Locked {
		links.Unsubscribe = d.Links.URL(preferences.Link{Recipient: a.RecipientID, Category: a.Category})
	}
	return links
}

// settle writes how the attempt ended, and tells others when it was the last.
func (d *Deliverer) settle(ctx context.Context, a attempt, o outcome) (time.Duration, error) {
	now := d.Clock()
	r := Result{ID: a.ID, Attempt: a.Attempts, State: cmp.Or(o.state, api.DeliverySent), Reason: o.reason, Address: cmp.Or(o.address, a.to.Email), Locale: o.locale}
	var wait time.Duration
	switch r.State {
	case api.DeliverySent:
		r.SentAt = &now
	case api.DeliveryFailing:
		var again bool
		if wait, again = d.Retry.After(a.Attempts); again {
			next := now.Add(wait)
			r.NextAttemptAt = &next
		} else {
			r.State = api.DeliveryDead
		}
	default:
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleWithin) // the mail is out: the row has to say so
	defer cancel()
	err := lifecycle.Retry(ctx, func(ctx context.Context) error {
		return d.InTx(ctx, func(tx Tx) error { return finish(ctx, tx, a, r, o.detail, now) })
	}, nil)
	if err == nil {
		count(ctx, d.attempts, a, r)
	}
	return wait, err
}

func finish(ctx context.Context, tx Tx, a attempt, r Result, detail string, at time.Time) error {
	if ours, err := tx.FinishAttempt(ctx, r, detail); err != nil || !ours || r.State != api.DeliveryDead {
		return err
	}
	return tx.PublishDeliveryFailed(ctx, api.DeliveryFailedData{
		DeliveryID: a.ID, RecipientID: a.RecipientID, Category: a.Category, Channel: a.Channel, Reason: r.Reason, At: at,
	})
}

const settleWithin = 5 * time.Second
