package test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// browser is a headless Chromium that is spoken to in its DevTools protocol.
type browser struct {
	t        testing.TB
	conn     *websocket.Conn
	id       int
	requests []string // URLs it asked for
	errors   []string // of scripts, and what a policy refused
}

// openBrowser skips the test where there is no Chromium.
func openBrowser(t *testing.T) *browser {
	t.Helper()
	var program string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			program = found
			break
		}
	}
	if program == "" || testing.Short() {
		t.Skip("there is no Chromium, or no time for it")
	}
	folder, err := os.MkdirTemp("", "browser") //nolint:usetesting // what a killed browser's children still write there must not fail the test
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
		"--remote-debugging-port=0", "--user-data-dir="+folder, "about:blank")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = os.RemoveAll(folder)
	})
	b := &browser{t: t}
	address := ""
	require.Eventually(t, func() bool {
		data, err := os.ReadFile(filepath.Join(folder, "DevToolsActivePort"))
		port, _, whole := strings.Cut(string(data), "\n")
		address = "http://127.0.0.1:" + port
		return err == nil && whole
	}, time.Minute, 20*time.Millisecond, "Chromium does not start")
	b.attach(address)
	for _, domain := range []string{"Page", "Log", "Runtime", "Network"} {
		b.call(domain+".enable", nil)
	}
	return b
}

// attach connects to the browser's first page.
func (b *browser) attach(address string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, address+"/json/list", http.NoBody)
	require.NoError(b.t, err)
	resp, err := newClient(b.t).Do(r)
	require.NoError(b.t, err)
	defer func() { _ = resp.Body.Close() }()
	var targets []struct {
		Type string `json:"type"`
		URL  string `json:"webSocketDebuggerUrl"`
	}
	body, err := io.ReadAll(resp.Body)
	require.NoError(b.t, err)
	require.NoError(b.t, json.Unmarshal(body, &targets))
	for _, target := range targets {
		if target.Type == "page" {
			b.conn, _, err = websocket.Dial(b.t.Context(), target.URL, nil)
			require.NoError(b.t, err)
			b.conn.SetReadLimit(64 << 20)
			b.t.Cleanup(func() { _ = b.conn.CloseNow() })
			return
		}
	}
	require.Fail(b.t, "Chromium has no page")
}

// message is anything that the browser says.
type message struct {
	ID     int    `json:"id"`
	Method string `json:"method"`
	Params struct {
		Request struct {
			URL string `json:"url"`
		} `json:"request"`
		Entry struct {
			Level string `json:"level"`
			Text  string `json:"text"`
		} `json:"entry"`
		ExceptionDetails struct {
			Text string `json:"text"`
		} `json:"exceptionDetails"`
	} `json:"params"`
	Result struct {
		Result struct {
			Value any `json:"value"`
		} `json:"result"`
		ExceptionDetails any `json:"exceptionDetails"`
	} `json:"result"`
}

func (b *browser) call(method string, params map[string]any) message {
	b.t.Helper()
	b.id++
	data, err := json.Marshal(map[string]any{"id": b.id, "method": method, "params": params})
	require.NoError(b.t, err)
	require.NoError(b.t, b.conn.Write(b.t.Context(), websocket.MessageText, data))
	for {
		_, data, err := b.conn.Read(b.t.Context())
		require.NoError(b.t, err)
		var m message
		require.NoError(b.t, json.Unmarshal(data, &m))
		switch {
		case m.ID == b.id:
			return m
		case m.Method == "Network.requestWillBeSent":
			b.requests = append(b.requests, m.Params.Request.URL)
		case m.Method == "Log.entryAdded" && m.Params.Entry.Level == "error":
			b.errors = append(b.errors, m.Params.Entry.Text)
		case m.Method == "Runtime.exceptionThrown":
			b.errors = append(b.errors, m.Params.ExceptionDetails.Text)
		}
	}
}

// eval is the value of an expression in the page.
func (b *browser) eval(expression string) any {
	b.t.Helper()
	m := b.call("Runtime.evaluate", map[string]any{"expression": expression, "awaitPromise": true, "returnByValue": true})
	require.Nil(b.t, m.Result.ExceptionDetails, expression)
	return m.Result.Result.Value
}

// wait waits until an expression is true in the page.
func (b *browser) wait(expression string) {
	b.t.Helper()
	require.Equal(b.t, true, b.eval(`new Promise(found => { const until = Date.now() + 30000; const look = () => {
		if (`+expression+`) found(true); else if (Date.now() > until) found(document.body.innerText); else setTimeout(look, 50); }; look(); })`), expression)
}

func (b *browser) open(url string) {
	b.t.Helper()
	b.call("Page.navigate", map[string]any{"url": url})
}
