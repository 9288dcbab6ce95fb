// Package letters owns the mails that carry a link of auth's. Notifications writes their words, in the language and the time zone of the
// recipient; the link is put into them here and goes from here to the mail server. So whoever reads everything that notifications says,
// hears and knows reads no link.
package letters

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/mail"
	"github.com/atrium-mesh/atrium/pkg/mail/letter"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/links"
)

// Links makes the links of mails.
type Links interface {
	// For is the link of a mail, the same each time.
	For(ctx context.Context, in *api.AnnounceLinkRequest) (links.Mailed, error)
	// Sent remembers that the mail was accepted.
	Sent(ctx context.Context, mailed links.Mailed) error
}

// AtOnce is how many mails a replica hands over at a time. A slow mail server holds each for up to 45 seconds, and all of them are a quarter
// of the requests that a replica serves over NATS at a time (op.Config.Concurrency): what it keeps waiting is mails, and nobody else.
const AtOnce = 64

// Deps is what letters need. All are required.
type Deps struct {
	Links  Links
	Layout *letter.Layout
	// HandOver gives a mail to the mail server. It is nil, or an error that holds a *mail.Error.
	HandOver func(ctx context.Context, m mail.Message) error
	Logger   *slog.Logger
}

// Letters sends letters. It is safe for concurrent use.
type Letters struct {
	Deps
	slots chan struct{} // one for each mail that is handed over

	underWay sync.Map // the deliveries that are handed over: whoever asks for one many times at once gets it sent once
}

// New makes the letters.
func New(deps Deps) *Letters { return &Letters{Deps: deps, slots: make(chan struct{}, AtOnce)} }

// Send implements [api.SendLink]. A refusal of the mail server is an answer and no error: it is a fact about the mail, and must not count
// as a fault of auth.
func (l *Letters) Send(ctx context.Context, in *api.SendLinkRequest) (*api.SendLinkResponse, error) {
	if err := in.Letter.Check("body.letter"); err != nil {
		return nil, err
	}
	select {
	case l.slots <- struct{}{}:
		defer func() { <-l.slots }()
	default:
		return nil, errUnderWay()
	}
	if _, again := l.underWay.LoadOrStore(in.DeliveryID, true); again {
		return nil, errUnderWay()
	}
	defer l.underWay.Delete(in.DeliveryID)
	mailed, err := l.Links.For(ctx, &in.AnnounceLinkRequest)
	if err != nil {
		return nil, err
	}
	out := &api.SendLinkResponse{Email: mailed.Email}
	if mailed.SentAt != nil { // the answer was lost, or somebody wants to fill a mailbox
		return out, nil
	}
	laid, err := l.Layout.Fill(in.Letter, letter.Links{Action: mailed.URL, Other: mailed.DisownURL})
	if err != nil {
		return nil, err
	}
	err = l.HandOver(ctx, mail.Message{
		ID:      in.DeliveryID.String(),
		To:      mailed.Email,
		Locale:  laid.Locale,
		Subject: laid.Subject,
		Text:    laid.Text,
		HTML:    laid.HTML,
	})
	if err != nil {
		out.Refused = refusal(err)
		return out, nil
	}
	l.remember(ctx, mailed)
	return out, nil
}

// errUnderWay is not Unavailable: that would open the breaker of the caller, for whatever else it asks of auth.
func errUnderWay() error {
	return errs.New(errs.RateLimited, "mails_under_way", "This mail, or as many as possible, are being sent; try again.").WithRetryAfter(time.Second)
}

// rememberWithin bounds a write that the caller need not wait for: the mail is out.
const rememberWithin = 5 * time.Second

// remember keeps the mail from being sent again. When that fails it may be, with the same link and the same Message-ID.
func (l *Letters) remember(ctx context.Context, mailed links.Mailed) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rememberWithin)
	defer cancel()
	if err := l.Links.Sent(ctx, mailed); err != nil {
		l.Logger.WarnContext(ctx, "a mail was sent, and that cannot be written down", "delivery_id", mailed.DeliveryID, "error", err)
	}
}

func refusal(err error) *api.MailRefusal {
	failed, ok := errors.AsType[*mail.Error](err)
	if !ok {
		failed = &mail.Error{Reason: mail.ReasonUnreachable, Temporary: true}
	}
	return &api.MailRefusal{Reason: failed.Reason, Detail: failed.Detail, Temporary: failed.Temporary}
}
