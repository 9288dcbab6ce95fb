package deliveries

import (
	"context"

	"github.com/atrium-mesh/atrium/pkg/errs"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/notifications/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/templates"
)

// throughAuth has auth send a mail with a link: the words are ours, the link never leaves auth but in the mail, and auth says where that
// goes. No copy of an address is good enough for it.
func (d *Deliverer) throughAuth(ctx context.Context, a attempt, purpose auth.LinkPurpose, data templates.Data) outcome {
	link := auth.AnnounceLinkRequest{
		AccountID:  a.RecipientID,
		Purpose:    purpose,
		DeliveryID: a.ID,
		Generation: a.Data.Generation,
	}
	announced, err := d.AnnounceLink(ctx, &link)
	if err != nil {
		return d.withoutLink(ctx, a, purpose, data, err)
	}
	linked := data
	linked.LinkExpires = announced.ExpiresAt
	written, failed := d.write(ctx, a, linked)
	if failed.reason != "" {
		return failed
	}
	sent, err := d.SendLink(ctx, &auth.SendLinkRequest{AnnounceLinkRequest: link, Letter: written})
	if err != nil {
		return d.withoutLink(ctx, a, purpose, data, err)
	}
	o := outcome{locale: written.Locale, address: sent.Email}
	if r := sent.Refused; r != nil {
		return refused(r.Reason, r.Detail, r.Temporary, o)
	}
	return o
}

// withoutLink is how a mail ends for which auth has no link, with this error. A warning that comes late, or whose link another mail has, is
// true without: it goes out, to the address that notices without links go to. Other mails are nothing but their link.
func (d *Deliverer) withoutLink(ctx context.Context, a attempt, purpose auth.LinkPurpose, data templates.Data, err error) outcome {
	if purpose == auth.LinkNotMe && notAskedFor(err) {
		return d.directly(ctx, a, data)
	}
	return linkOutcome(err)
}

// notAskedFor reports whether auth makes no link because nothing is known that it would be for, any more.
func notAskedFor(err error) bool {
	return errs.KindOf(err) == errs.Conflict && errs.From(err).Code == ReasonNotAskedFor
}

func linkOutcome(err error) outcome {
	kind := errs.KindOf(err)
	switch {
	case kind == errs.NotFound:
		return outcome{state: api.DeliverySkipped, reason: ReasonNoAccount}
	case notAskedFor(err):
		return outcome{state: api.DeliverySkipped, reason: ReasonNotAskedFor}
	case kind == errs.Conflict:
		return outcome{state: api.DeliverySkipped, reason: ReasonNotNeeded}
	case kind.Retryable() || kind == errs.Internal:
		return outcome{state: api.DeliveryFailing, reason: ReasonNoLink}
	default:
		return outcome{state: api.DeliveryDead, reason: ReasonLink, detail: errs.From(err).Code}
	}
}
