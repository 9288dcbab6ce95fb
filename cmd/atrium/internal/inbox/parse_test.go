package inbox_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/inbox"
)

func TestParse(t *testing.T) {
	t.Parallel()
	crlf := func(lines ...string) []byte { return []byte(strings.Join(lines, "\r\n")) }

	t.Run("a legacy charset is decoded", func(t *testing.T) {
		t.Parallel()
		m := inbox.Parse(crlf("Subject: =?iso-8859-1?q?caf=E9?=", "Content-Type: text/plain; charset=iso-8859-1", "", "caf\xe9"))
		require.Equal(t, "café", m.Subject)
		require.Equal(t, "café", m.Text)
	})
	t.Run("an attachment is described, not kept", func(t *testing.T) {
		t.Parallel()
		m := inbox.Parse(crlf("Content-Type: multipart/mixed; boundary=b", "",
			"--b", "Content-Type: text/html", "", "<p>hi</p>",
			"--b", "Content-Type: text/csv", "Content-Disposition: attachment; filename=people.csv", "", "a,b",
			"--b--", ""))
		require.Equal(t, "<p>hi</p>", m.HTML)
		require.Equal(t, []inbox.Attachment{{Filename: "people.csv", ContentType: "text/csv", Size: 3}}, m.Attachments)
	})
	t.Run("what is no mail is kept as text", func(t *testing.T) {
		t.Parallel()
		require.Contains(t, inbox.Parse([]byte("\x00\xffnot a mail")).Text, "not a mail")
	})
	t.Run("a cut-off multipart keeps what came", func(t *testing.T) {
		t.Parallel()
		m := inbox.Parse(crlf("Subject: cut", "Content-Type: multipart/mixed; boundary=b", "", "--b", "Content-Type: text/plain", "", "first"))
		require.Equal(t, "cut", m.Subject)
		require.Contains(t, m.Text, "first")
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("Subject: hi\r\nContent-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\n\r\nhello\r\n--x--\r\n"))
	f.Add([]byte("From: \"A\" <a@b.c>\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!"))
	f.Add([]byte("\r\n\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := inbox.Parse(raw)
		line, err := json.Marshal(m)
		require.NoError(t, err)
		require.True(t, utf8.Valid(line))
		require.True(t, utf8.ValidString(m.Text) && utf8.ValidString(m.Subject) && utf8.ValidString(m.HTML))
	})
}
