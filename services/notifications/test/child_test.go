package test

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/service/servicetest"
	"github.com/atrium-mesh/atrium/pkg/token/tokentest"
)

// child is the service in a process of its own, which a test can kill.
type child struct {
	w    *world
	addr string
	cmd  *exec.Cmd
}

// newChild reserves what the process is called by; start starts it.
func newChild(w *world) *child {
	w.t.Helper()
	c := &child{w: w, addr: freeAddr(w)}
	w.t.Cleanup(c.kill)
	return c
}

func freeAddr(w *world) string {
	w.t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(w.t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(w.t, err)
	defer listener.Close()
	return listener.Addr().String()
}

// start starts the process and returns once its port answers.
func (c *child) start() {
	c.w.t.Helper()
	c.cmd = exec.Command(os.Args[0]) //nolint:noctx // it is killed by kill
	env := map[string]string{
		"NOTIFICATIONS_CHILD": "1", "HTTP_ADDR": c.addr, "ADMIN_ADDR": "127.0.0.1:0", "DATABASE_URL": c.w.url, "NATS_URL": c.w.nats.URL(),
		"ISSUER": c.w.issuer.URL, "JWKS_URL": c.w.issuer.JWKSURL, "AUDIENCE": tokentest.Audience, "SECRET_KEY": servicetest.SecretKey,
		"SERVICE_SECRET": servicetest.ServiceSecret("notifications"), "LOG_LEVEL": "error",
	}
	maps.Copy(env, c.w.env)
	c.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "GOCOVERDIR=" + c.w.t.TempDir()}
	for name, value := range env {
		c.cmd.Env = append(c.cmd.Env, fmt.Sprintf("%s=%s", name, value))
	}
	c.cmd.Stderr = c.w.t.Output()
	require.NoError(c.w.t, c.cmd.Start())
	c.w.eventually(func() bool {
		ctx, cancel := context.WithTimeout(c.w.t.Context(), time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url(), http.NoBody)
		if err != nil {
			return false
		}
		res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return true
	}, "the process answers")
}

func (c *child) url() string { return "http://" + c.addr }

// kill ends the process as kill -9 does, and waits for it.
func (c *child) kill() {
	if c.cmd != nil && c.cmd.ProcessState == nil {
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
	}
}
