package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/test/e2e/client"
	"github.com/atrium-mesh/atrium/test/e2e/mesh"
)

// browser is a headless Chromium that notes every request it makes and every error its console shows.
type browser struct {
	context.Context
	t        *testing.T
	mu       sync.Mutex
	requests []string
	errors   []string
}

func openBrowser(t *testing.T) *browser {
	t.Helper()
	path, err := chromium()
	require.NoError(t, err, "Chromium is needed to look at the API reference: scripts/deps chromium")
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1280, 2000),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, cancelTimeout := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancelTimeout)
	allocated, cancel := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	b := &browser{t: t}
	var cancelTab context.CancelFunc
	b.Context, cancelTab = chromedp.NewContext(allocated, chromedp.WithListener(b.note))
	t.Cleanup(cancelTab)
	return b
}

// open goes to a page and waits until it has what the selector names.
func (b *browser) open(url, selector string) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(b, chromedp.Navigate(url), chromedp.WaitVisible(chromedp.CSS(selector))))
}

// click clicks what the selector names, once it is there.
func (b *browser) click(selector string) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(b, chromedp.WaitVisible(chromedp.CSS(selector)), chromedp.Click(chromedp.CSS(selector))), selector)
}

// fill types into a field.
func (b *browser) fill(selector, text string) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(b, chromedp.WaitVisible(chromedp.CSS(selector)), chromedp.SendKeys(chromedp.CSS(selector), text)), selector)
}

// evaluate runs JavaScript in the page.
func evaluate[T any](b *browser, expression string) T {
	b.t.Helper()
	value, err := chromedp.Run(b, chromedp.Evaluate[T](expression))
	require.NoError(b.t, err, expression)
	return value
}

// until waits until JavaScript says that it is so.
func (b *browser) until(expression, what string) {
	b.t.Helper()
	require.Eventually(b.t, func() bool { return evaluate[bool](b, expression) }, time.Minute, 100*time.Millisecond, what)
}

func chromium() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", exec.ErrNotFound
}

func (b *browser) note(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	case *log.EventEntryAdded: // what the page's own policy refused is told here
		if e.Entry.Level == log.EntryLevelError {
			b.errors = append(b.errors, e.Entry.Text)
		}
	case *runtime.EventExceptionThrown:
		b.errors = append(b.errors, e.ExceptionDetails.Text)
	}
}

// foreign are the requests that left the gateway.
func (b *browser) foreign(base string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for _, r := range b.requests {
		if u, err := url.Parse(r); err == nil && (u.Scheme == "http" || u.Scheme == "https") && !strings.HasPrefix(r, base) {
			out = append(out, r)
		}
	}
	return out
}

func (b *browser) thrown() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.errors)
}

// block is one operation as Swagger UI shows it.
type block struct {
	Description string
	Examples    int
	Statuses    []string
}

// find is JavaScript for the operation's place on the page.
func find(o described) string {
	return fmt.Sprintf(`[...document.querySelectorAll('.opblock')].find(b => b.id.endsWith('-%s') || b.id.endsWith('-%s'))`,
		o.ID, strings.ReplaceAll(o.ID, "-", "_"))
}

// toggle is JavaScript that opens or closes the operation.
func toggle(o described) string {
	return find(o) + `.querySelector('.opblock-summary-control').click() || true`
}

// described is one operation of the OpenAPI document.
type described struct {
	ID, Method, Path, Summary string
	Responses                 int
}

func operations(t *testing.T, c *client.Client) []described {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string         `json:"operationId"`
			Summary     string         `json:"summary"`
			Description string         `json:"description"`
			Responses   map[string]any `json:"responses"`
		} `json:"paths"`
	}
	require.NoError(t, json.Unmarshal(c.Get("/openapi.json").Want(http.StatusOK).Body, &doc))
	var out []described
	for path, item := range doc.Paths {
		for method, o := range item {
			require.NotEmpty(t, o.Description, o.OperationID)
			failures := 0
			for status := range o.Responses {
				if status >= "400" {
					failures++
				}
			}
			require.Positive(t, failures, "%s documents no error answer", o.OperationID)
			out = append(out, described{ID: o.OperationID, Method: method, Path: path, Summary: o.Summary, Responses: len(o.Responses)})
		}
	}
	require.NotEmpty(t, out)
	return out
}

// TestAPIReference looks at /docs and /redoc as a person does.
func TestAPIReference(t *testing.T) {
	t.Parallel()
	m := mesh.Up(t)
	base := m.Origin
	c := client.New(t, client.Door{Gateway: m.Origin, Inbox: m.Inbox})
	person, _ := c.SignUp("reader")
	all := operations(t, c)

	t.Run("docs shows every operation with description, example and errors", func(t *testing.T) { //nolint:paralleltest // one browser at a time
		b := openBrowser(t)
		b.open(base+"/docs", ".opblock-tag-section")
		require.Equal(t, len(all), evaluate[int](b, `document.querySelectorAll('.opblock').length`), "an operation is not shown")
		for part := range slices.Chunk(all, 14) { // Swagger UI resolves what is opened together in one go; all of it is a heavy page
			for _, o := range part {
				evaluate[bool](b, toggle(o))
			}
			for _, o := range part {
				b.until(`!!`+find(o)+`.querySelector('.responses-table .response-col_status')`, o.ID+" shows its answers")
				shown := evaluate[block](b, `(b => ({
					Description: (b.querySelector('.opblock-description') || {}).innerText || '',
					Examples: b.querySelectorAll('.highlight-code, .example').length,
					Statuses: [...b.querySelectorAll('.responses-table .response-col_status')].map(e => e.innerText.trim().slice(0, 3)),
				}))(`+find(o)+`)`)
				require.NotEmpty(t, shown.Description, "%s shows no description", o.ID)
				require.Positive(t, shown.Examples, "%s shows no example", o.ID)
				require.True(t, slices.ContainsFunc(shown.Statuses, func(s string) bool { return s >= "400" && s < "600" }), "%s shows no error answer", o.ID)
			}
			for _, o := range part {
				evaluate[bool](b, toggle(o))
			}
		}
		require.Empty(t, b.foreign(base), "something was loaded from elsewhere")
		require.Empty(t, b.thrown())
		fmt.Printf("docs: %d operations shown, each with description, examples and error answers\n", len(all))
	})

	t.Run("the Authorize button signs in", func(t *testing.T) { //nolint:paralleltest // one browser at a time
		b := openBrowser(t)
		b.open(base+"/docs", "button.authorize")
		b.click(".auth-wrapper button.authorize")
		b.fill("#oauth_username", person.Email)
		b.fill("#oauth_password", person.Password)
		const scheme = `[...document.querySelectorAll('.auth-container')].find(c => c.querySelector('#oauth_username') || c.innerText.includes('OAuth2'))`
		evaluate[bool](b, scheme+`.querySelector('button.authorize').click() || true`)
		b.until(`document.body.innerText.includes('Logout')`, "signed in")
		evaluate[bool](b, `document.querySelector('button.btn-done').click() || true`)
		const me = `[...document.querySelectorAll('.opblock')].find(b => /get[-_]me$/.test(b.id))`
		evaluate[bool](b, me+`.querySelector('.opblock-summary-control').click() || true`)
		b.until(`!!`+me+`.querySelector('button.execute')`, "the operation is open")
		evaluate[bool](b, me+`.querySelector('button.execute').click() || true`)
		b.until(`!!`+me+`.querySelector('.live-responses-table .response-col_status')`, "an answer")
		answer := evaluate[string](b, me+`.querySelector('.live-responses-table').innerText`)
		require.Contains(t, answer, "200")
		require.Contains(t, answer, person.Email)
		require.Empty(t, b.foreign(base))
		fmt.Println("docs: the Authorize button signed in, and GET /api/v1/users/me answered 200")
	})

	t.Run("redoc shows every operation", func(t *testing.T) { //nolint:paralleltest // one browser at a time
		b := openBrowser(t)
		b.open(base+"/redoc", "[data-section-id]")
		var text string
		require.Eventually(t, func() bool {
			text = evaluate[string](b, `document.body.innerText`)
			return !slices.ContainsFunc(all, func(o described) bool { return !strings.Contains(text, o.Summary) })
		}, 30*time.Second, 200*time.Millisecond)
		require.Contains(t, text, "Response samples")
		require.Empty(t, b.foreign(base), "something was loaded from elsewhere")
		require.Empty(t, b.thrown())
		fmt.Printf("redoc: %d operations shown\n", len(all))
	})
}
