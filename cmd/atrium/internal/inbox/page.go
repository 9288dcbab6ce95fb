package inbox

import (
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/devpage"
)

//go:embed templates
var templates embed.FS

// listed bounds the rows of the page; the API gives all.
const listed = 200

type pageData struct {
	Messages []Message // newest first
	Total    int
	Last     string // id of the newest message, also when the filter hides it
	Query    string
	Index    bool // no message was chosen: the newest is shown
	Open     *openMessage
	Origin   string
}

type openMessage struct {
	Message
	View  string // html, text or headers
	Links []link
	Body  template.HTML // the text with its addresses made links
}

type link struct{ URL, Token string }

func (h *Handler) showIndex(w http.ResponseWriter, r *http.Request) {
	data := h.pageData(r)
	data.Index = true
	if len(data.Messages) > 0 {
		data.Open = open(data.Messages[0], r.URL.Query().Get("view"))
	}
	h.page.Write(w, http.StatusOK, devpage.View{Tab: "inbox", Title: "Inbox", Body: data})
}

func (h *Handler) showMessage(w http.ResponseWriter, r *http.Request) {
	data, status, title := h.pageData(r), http.StatusNotFound, "No such message"
	if m, ok := h.store.Get(r.PathValue("id")); ok {
		status, title = http.StatusOK, m.Subject
		data.Open = open(m, r.URL.Query().Get("view"))
	}
	h.page.Write(w, status, devpage.View{Tab: "inbox", Title: title, Body: data})
}

func (h *Handler) pageData(r *http.Request) pageData {
	all := h.store.List(Filter{})
	data := pageData{Query: strings.TrimSpace(r.URL.Query().Get("q")), Total: len(all), Origin: "http://" + r.Host}
	for _, m := range slices.Backward(all) {
		if data.Last == "" {
			data.Last = m.ID
		}
		if len(data.Messages) < listed && matches(m, data.Query) {
			data.Messages = append(data.Messages, m)
		}
	}
	return data
}

func matches(m Message, query string) bool {
	text := strings.ToLower(m.To + "\n" + m.From + "\n" + m.Subject + "\n" + m.Text)
	return strings.Contains(text, strings.ToLower(query))
}

func open(m Message, view string) *openMessage {
	o := &openMessage{Message: m, View: view, Links: links(m), Body: linked(m.Text)}
	switch {
	case view == "headers" || view == "text":
	case m.HTML != "":
		o.View = "html"
	default:
		o.View = "text"
	}
	return o
}

// Initial is the first letter of the recipient, for the round picture in the list.
func (m Message) Initial() string {
	for _, r := range m.To {
		return string(r)
	}
	return "?"
}

var address = regexp.MustCompile(`https?://[^\s<>"']+[^\s<>"'.,;:!?)\]]`)

// Delivery is the part of the Message-ID that traces know a mail by: the id of its delivery.
func (m Message) Delivery() string {
	id, _, _ := strings.Cut(m.MessageID, "@")
	return id
}

// links are the addresses in a mail that carry a token: what somebody who tests a sign-up is after.
func links(m Message) []link {
	var found []link
	for _, raw := range address.FindAllString(m.Text, -1) {
		u, err := url.Parse(raw)
		if err != nil {
			continue
		}
		l := link{URL: raw, Token: u.Query().Get("token")}
		if l.Token != "" && !strings.Contains(u.Path, "unsubscribe") && !slices.Contains(found, l) {
			found = append(found, l)
		}
	}
	return found
}

// linked escapes a text and makes its addresses links.
func linked(text string) template.HTML {
	var b strings.Builder
	rest := 0
	for _, span := range address.FindAllStringIndex(text, -1) {
		b.WriteString(template.HTMLEscapeString(text[rest:span[0]]))
		a := template.HTMLEscapeString(text[span[0]:span[1]])
		b.WriteString(`<a href="` + a + `" target="_blank" rel="noreferrer">` + a + `</a>`)
		rest = span[1]
	}
	b.WriteString(template.HTMLEscapeString(text[rest:]))
	return template.HTML(b.String()) //nolint:gosec // every part was escaped above
}
