// Package unsubscribe owns the page behind the unsubscribe link of mails. Opening the link only asks: programs that look at links before
// people do must change nothing. The button, and the one click of mail programs (RFC 8058), do it.
package unsubscribe

import (
	"context"
	"crypto/rand"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"

	"golang.org/x/text/language"

	"github.com/atrium-mesh/atrium/pkg/mail/letter"
	"github.com/atrium-mesh/atrium/services/notifications/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/preferences"
)

//go:embed page.html
var source string

// Handler serves the page.
type Handler struct {
	page    *template.Template
	links   *preferences.Links
	turnOff func(ctx context.Context, token string) (api.Category, error)
	brand   letter.Brand
}

// New makes the handler. TurnOff does what a token says.
func New(links *preferences.Links, turnOff func(context.Context, string) (api.Category, error), brand letter.Brand) (*Handler, error) {
	page, err := template.New("page").Parse(source)
	if err != nil {
		return nil, fmt.Errorf("parse the unsubscribe page: %w", err)
	}
	return &Handler{page: page, links: links, turnOff: turnOff, brand: brand}, nil
}

// view is what the page shows.
type view struct {
	Lang, Nonce, Title, Text, Button, Product, ProductURL string
}

// Ask implements [api.UnsubscribePage].
func (h *Handler) Ask(w http.ResponseWriter, r *http.Request, in *api.UnsubscribeRequest) error {
	link, err := h.links.Read(in.Token)
	if err != nil {
		return err
	}
	v := view{Lang: languageOf(r)}
	if v.Lang == "de" {
		v.Title, v.Button = "E-Mails abbestellen?", "Abbestellen"
		v.Text = fmt.Sprintf("%s schickt Ihnen dann keine E-Mails der Kategorie „%s“ mehr.", h.brand.Product, categoryName(link.Category, v.Lang))
	} else {
		v.Title, v.Button = "Stop these e-mails?", "Stop them"
		v.Text = fmt.Sprintf("%s will no longer send you e-mails of the category “%s”.", h.brand.Product, categoryName(link.Category, v.Lang))
	}
	return h.show(w, v)
}

// Do implements [api.Unsubscribe].
func (h *Handler) Do(w http.ResponseWriter, r *http.Request, in *api.UnsubscribeRequest) error {
	category, err := h.turnOff(r.Context(), in.Token)
	if err != nil {
		return err
	}
	v := view{Lang: languageOf(r)}
	if v.Lang == "de" {
		v.Title = "Abbestellt"
		v.Text = fmt.Sprintf("Sie erhalten keine E-Mails der Kategorie „%s“ mehr. In Ihren Einstellungen können Sie das jederzeit ändern.", categoryName(category, v.Lang))
	} else {
		v.Title = "Unsubscribed"
		v.Text = fmt.Sprintf("You will get no more e-mails of the category “%s”. You can change that in your preferences at any time.", categoryName(category, v.Lang))
	}
	return h.show(w, v)
}

func (h *Handler) show(w http.ResponseWriter, v view) error {
	v.Nonce, v.Product, v.ProductURL = rand.Text(), h.brand.Product, h.brand.URL
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer") // the address holds a token
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy",
		"default-src 'none'; style-src 'nonce-"+v.Nonce+"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	if err := h.page.Execute(w, v); err != nil {
		return fmt.Errorf("write the unsubscribe page: %w", err)
	}
	return nil
}

// maxAcceptLanguage is how many bytes of Accept-Language are read: browsers send a tenth of it.
const maxAcceptLanguage = 256

// languageOf is the language of the page that fits best.
func languageOf(r *http.Request) string {
	wanted := r.Header.Get("Accept-Language")
	if len(wanted) > maxAcceptLanguage {
		return language.English.String()
	}
	matcher := language.NewMatcher([]language.Tag{language.English, language.German})
	tag, _ := language.MatchStrings(matcher, wanted)
	base, _ := tag.Base()
	return base.String()
}

func categoryName(category api.Category, lang string) string {
	names := map[api.Category][2]string{
		api.CategoryAccount:   {"Your account", "Ihr Konto"},
		api.CategoryProduct:   {"News of the product", "Neues vom Produkt"},
		api.CategoryMarketing: {"Offers", "Angebote"},
	}
	if lang == "de" {
		return names[category][1]
	}
	return names[category][0]
}
