package pipeline

import (
	"net/http"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/request"
	notifications "github.com/atrium-mesh/atrium/services/notifications/api"
)

// authenticate verifies the token. Whenever cookies of ours came along, or nothing better did, the page must be of an allowed origin: a
// bearer token that is not good must not let a foreign page act with the cookies beside it. A bad token on a public operation is
// ignored otherwise: it must not keep anybody from signing in again.
//
// A ticket decides alone who it is, and nothing that it opens looks at cookies: whichever page has one may use it.
func (p *Pipeline) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := ExchangeFrom(r.Context())
		c, err := credentials(r, x.Route)
		if err != nil {
			Refuse(w, r, err)
			return
		}
		dropCredentials(r, x.Route.Stream)
		checked := c.from == fromNowhere || c.from == fromCookie || c.from == fromField && hasCookie(r)
		if checked && !p.fromHere(w, r) {
			return
		}
		if c.from != fromNowhere && !p.verify(w, r, x, c) {
			return
		}
		if c.from == fromTicket {
			anyPage(w.Header())
		}
		if !checked && x.Principal == nil && !p.fromHere(w, r) {
			return
		}
		x.Lost = p.cookiesLost(r)
		next.ServeHTTP(w, r)
	})
}

func (p *Pipeline) fromHere(w http.ResponseWriter, r *http.Request) bool {
	err := p.sameSite(r)
	if err != nil {
		Refuse(w, r, err)
	}
	return err == nil
}

// verify notes whose credential it is. It answers itself when the request must not go on.
func (p *Pipeline) verify(w http.ResponseWriter, r *http.Request, x *Exchange, c credential) bool {
	err := p.identify(r, x, c)
	switch {
	case err == nil:
		return true
	case c.from != fromTicket && x.Route.Allow.IsPublic():
		return true
	case errs.KindOf(err) == errs.Unauthenticated && !x.counted && !p.allow(w, r, op.LimitAPI, byAddress(x)):
		return false // who tries tokens is limited like a stranger
	}
	Refuse(w, r, err)
	return false
}

// identify asks notifications for the token behind a ticket, unless nothing that looks like this was ever one.
func (p *Pipeline) identify(r *http.Request, x *Exchange, c credential) error {
	token := c.text
	if c.from == fromTicket {
		if _, ok := notifications.ReadTicket(c.text); !ok {
			return notifications.ErrTicketInvalid()
		}
		ctx := request.With(r.Context(), request.Request{ID: x.RequestID})
		var err error
		if token, err = p.Redeem(ctx, c.text); err != nil {
			return err
		}
	}
	who, err := p.Verifier.Verify(r.Context(), token)
	if err != nil {
		return err
	}
	x.Token, x.Principal = token, who
	return nil
}
