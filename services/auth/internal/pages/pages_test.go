package pages_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/pages"
)

func render(t *testing.T, p pages.Page) *httptest.ResponseRecorder {
	t.Helper()
	all, err := pages.New()
	require.NoError(t, err)
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/account/page?token=SECRETTOKEN", http.NoBody)
	require.NoError(t, all.Handler(p)(w, r, &api.PageRequest{Token: "SECRETTOKEN"}))
	return w
}

func TestPages(t *testing.T) {
	t.Parallel()
	operations := map[string]bool{}
	for _, o := range api.Operations() {
		operations[o.Meta().Method+" "+o.Meta().Path] = true
	}
	for name, p := range map[string]pages.Page{
		"verify-email": pages.VerifyEmail(), "reset-password": pages.ResetPassword(), "accept-invitation": pages.AcceptInvitation(),
		"setup": pages.Setup(), "not-me": pages.NotMe(), "disown": pages.Disown(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := render(t, p)
			body := w.Body.String()
			require.Equal(t, http.StatusOK, w.Code)
			require.Equal(t, "text/html; charset=utf-8", w.Header().Get("Content-Type"))
			require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
			require.Equal(t, "no-referrer", w.Header().Get("Referrer-Policy"))
			require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
			require.Equal(t, "DENY", w.Header().Get("X-Frame-Options"))

			require.NotContains(t, body, "SECRETTOKEN", "the page must not contain the token")
			require.NotRegexp(t, `(?:src|href)\s*=`, body, "nothing is loaded from anywhere")
			require.NotRegexp(t, `@import|url\(`, body)
			require.NotContains(t, body, "ZgotmplZ", "the template refused something")
			require.NotRegexp(t, ` on[a-z]+=| style=`, body, "the policy would not run it")

			require.True(t, operations["POST "+p.Action], "%s is not an operation", p.Action)
			require.Contains(t, body, `data-action="`+p.Action+`"`)
			if p.Again != nil {
				require.True(t, operations["POST "+p.Again.Path], "%s is not an operation", p.Again.Path)
				require.Contains(t, body, `data-again="`+p.Again.Path+`"`)
				require.Contains(t, body, `id="sent"`)
			} else {
				require.NotContains(t, body, `id="sent"`)
			}
			for _, text := range append([]string{p.Heading, p.Done, p.Button}, append(p.Intro, p.DoneText...)...) {
				require.Contains(t, body, text)
			}
			if o := p.Otherwise; o != nil {
				require.Contains(t, body, `data-otherwise="`+o.Code+`"`)
				require.True(t, operations["GET "+o.Leave.Path], "%s is not a page", o.Leave.Path)
				require.Contains(t, body, `data-go="`+o.Leave.Path+`"`)
				for _, w := range o.Ways {
					require.Contains(t, body, w.Heading)
					require.Contains(t, body, w.Button)
					require.Equal(t, 1, strings.Count(body, `<input id="`+w.Field.Name+`"`))
				}
			}
			for _, id := range []string{"ask", "done", "failed"} {
				require.Equal(t, 1, strings.Count(body, `<section id="`+id+`"`))
			}
			for _, f := range p.Fields {
				require.Contains(t, body, `<label for="`+f.Name+`">`)
				require.Regexp(t, `<input id="`+f.Name+`"[^>]*autocomplete="`+f.Autocomplete+`"`, body)
			}
		})
	}
}

func TestPages_every_answer_has_its_own_nonce(t *testing.T) {
	t.Parallel()
	nonces := map[string]bool{}
	for range 10 {
		w := render(t, pages.VerifyEmail())
		policy := w.Header().Get("Content-Security-Policy")
		nonce := regexp.MustCompile(`script-src 'nonce-([A-Z2-7]{26})'`).FindStringSubmatch(policy)
		require.NotNil(t, nonce, policy)
		require.Contains(t, policy, "default-src 'none'")
		require.Contains(t, policy, "frame-ancestors 'none'")
		require.NotContains(t, policy, "unsafe")
		require.Equal(t, 2, strings.Count(w.Body.String(), ` nonce="`+nonce[1]+`"`), "style and script")
		nonces[nonce[1]] = true
	}
	require.Len(t, nonces, 10)
}
