package letter

import (
	"embed"
	"fmt"
	htmltemplate "html/template"
	"strings"
	texttemplate "text/template"
)

//go:embed layout.txt layout.html
var files embed.FS

// Brand is what all mails say of the product.
type Brand struct {
	Product string // its name
	URL     string // where it is
}

// Links are where a mail leads. "" leaves out what belongs to the link.
type Links struct {
	Action      string
	Other       string
	Unsubscribe string
}

// Mail is a letter that was laid out.
type Mail struct {
	Locale  string
	Subject string
	Text    string
	HTML    string
}

// Layout lays letters out. It is safe for concurrent use.
type Layout struct {
	brand Brand
	text  *texttemplate.Template
	page  *htmltemplate.Template
}

// NewLayout parses the embedded files. An error is a mistake in a file.
func NewLayout(brand Brand) (*Layout, error) {
	text, err := texttemplate.ParseFS(files, "layout.txt")
	if err != nil {
		return nil, fmt.Errorf("parse the text layout: %w", err)
	}
	page, err := htmltemplate.ParseFS(files, "layout.html")
	if err != nil {
		return nil, fmt.Errorf("parse the HTML layout: %w", err)
	}
	return &Layout{brand: brand, text: text, page: page}, nil
}

// filling is what the layouts are filled with.
type filling struct {
	Letter
	Brand Brand
	Links Links
}

// Fill lays a letter out. Text and HTML come from the same words, so that they cannot say different things.
func (l *Layout) Fill(words Letter, links Links) (Mail, error) {
	all := filling{Letter: words, Brand: l.brand, Links: links}
	var text, page strings.Builder
	if err := l.text.ExecuteTemplate(&text, "layout", all); err != nil {
		return Mail{}, fmt.Errorf("fill the text layout: %w", err)
	}
	if err := l.page.ExecuteTemplate(&page, "layout", all); err != nil {
		return Mail{}, fmt.Errorf("fill the HTML layout: %w", err)
	}
	return Mail{Locale: words.Locale, Subject: words.Subject, Text: text.String(), HTML: page.String()}, nil
}
