package test

import (
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/services/gateway"
)

// TestReferenceInABrowser looks at /docs and /redoc as a person does: every operation is there, the Authorize button signs in, and
// nothing is asked for that is not here, nor refused by the pages' own policy.
func TestReferenceInABrowser(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	held, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := held.Addr().String()
	require.NoError(t, held.Close())
	m := start(t, config.Source{"HTTP_ADDR": addr, "ISSUER": "http://" + addr}) // the document says where to sign in
	m.auth.answer(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"a.b.c","token_type":"Bearer","expires_in":900}`)
	})
	var summaries []string
	for _, item := range gateway.OpenAPI(m.URL).Paths {
		for _, operation := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if operation != nil {
				summaries = append(summaries, operation.Summary)
			}
		}
	}
	require.Greater(t, len(summaries), 40)

	b.open(m.URL + "/redoc")
	b.wait(`document.querySelectorAll("[data-section-id^='operation/'], [id^='operation/']").length > 0`)
	b.wait(`document.querySelector("[role=search] input") !== null`)
	redoc := b.eval(`document.body.innerText`).(string)

	b.open(m.URL + "/docs")
	b.wait(`document.querySelectorAll(".opblock-summary-path").length > 40`)
	swagger := b.eval(`document.body.innerText`).(string)
	for _, summary := range summaries {
		require.Contains(t, redoc, summary)
		require.Contains(t, swagger, summary)
	}

	b.eval(`document.querySelector("button.authorize").click()`)
	b.wait(`document.querySelector("#oauth_username") !== null`)
	b.eval(`(() => {
		const type = (field, text) => {
			Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(field, text);
			field.dispatchEvent(new Event("input", {bubbles: true}));
		};
		type(document.querySelector("#oauth_username"), "ada@example.com");
		type(document.querySelector("#oauth_password"), "seven green bicycles");
		[...document.querySelectorAll(".auth-container")].find(c => c.querySelector("#oauth_username")).querySelector("button.authorize").click();
	})()`)
	b.wait(`document.querySelector(".modal-ux").innerText.includes("Authorized")`)
	reached := m.auth.requests()
	require.Len(t, reached, 1)
	require.Equal(t, "/api/v1/auth/token", reached[0].URI)
	require.Equal(t, "grant_type=password&username=ada%40example.com&password=seven+green+bicycles", reached[0].Body)

	require.Empty(t, b.errors)
	require.False(t, slices.ContainsFunc(b.requests, func(url string) bool {
		return !strings.HasPrefix(url, m.URL) && !strings.HasPrefix(url, "data:") && !strings.HasPrefix(url, "blob:"+m.URL)
	}), "%v", b.requests)
}
