package k8s_test

import (
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/test/e2e/client"
	"github.com/atrium-mesh/atrium/test/k8s/cluster"
)

const (
	adminEmail = "root@atrium.example"
	// gatewayPort and inboxPort are where the node serves the gateway and the inbox of the release that people use. Requests go to this
	// machine's loopback address only.
	gatewayPort = 30443
	inboxPort   = 30825
)

var services = []string{"auth", "users", "notifications", "gateway"}

// release is an installed chart.
type release struct {
	*cluster.Namespace
	name   string
	root   string   // of the workspace
	chart  string   // its folder
	values []string // what helm is given, every time
}

// tag is what the images under test are called; next is what those with a newer schema are.
func tag() string  { return os.Getenv("ATRIUM_K8S_TAG") }
func next() string { return tag() + "-next" }

// chart is the folder of the chart.
func chart(t testing.TB) string {
	t.Helper()
	return cluster.Root(t) + "/charts/atrium"
}

// images are the values that every release of the tests has: this build, and images of others that need no internet.
func images(t testing.TB) []string {
	t.Helper()
	registry := cluster.Registry(t)
	require.NotEmpty(t, tag(), "ATRIUM_K8S_TAG says which images; `make e2e-k8s` sets it")
	return []string{
		"--set", "image.registry=" + registry, "--set", "image.tag=" + tag(), "--set", "image.pullPolicy=Always",
		"--set", "postgres.bundled.image=" + registry + "-test/postgres:test",
		"--set", "nats.bundled.image=" + registry + "-test/nats:test",
	}
}

// upgrade installs the release, or brings it to what the values say, and waits until every pod is ready.
func (r *release) upgrade(values ...string) {
	r.Helm(r.command(values...)...)
}

func (r *release) command(values ...string) []string {
	return append(append([]string{"upgrade", "--install", r.name, r.chart, "--wait", "--timeout", "4m"}, r.values...), values...)
}

// object is the name of one of the release's.
func (r *release) object(component string) string { return r.name + "-" + component }

// secret reads one key of a secret.
func (r *release) secret(t testing.TB, name, key string) string {
	t.Helper()
	text := r.Kubectl("get", "secret", name, "-o", fmt.Sprintf("go-template={{index .data %q}}", key))
	plain, err := base64.StdEncoding.DecodeString(text)
	require.NoError(t, err)
	return string(plain)
}

// door is where people find the release: the gateway speaks TLS, for which the release's own authority vouches.
func (r *release) door(t testing.TB) client.Door {
	t.Helper()
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM([]byte(r.secret(t, r.object("gateway-tls"), "ca.crt"))))
	return client.Door{
		Gateway: fmt.Sprintf("https://localhost:%d", gatewayPort), Inbox: fmt.Sprintf("http://localhost:%d", inboxPort), Roots: roots,
	}
}

// exposeInbox lets the tests read mail at a port of the node.
func (r *release) exposeInbox() {
	r.Apply(fmt.Sprintf(`apiVersion: v1
kind: Service
metadata: {name: inbox-for-tests}
spec:
  type: NodePort
  selector: {app.kubernetes.io/instance: %s, app.kubernetes.io/component: inbox}
  ports: [{port: 8025, nodePort: %d}]
`, r.name, inboxPort))
}

// administrator signs in with the password that the chart has made.
func (r *release) administrator(t testing.TB, visitor *client.Client) *client.Client {
	t.Helper()
	admin := visitor.Device("e2e/admin")
	admin.Login(client.Person{Email: adminEmail, Password: r.secret(t, r.object("auth"), "admin-password")})
	admin.WaitActive()
	return admin
}

// waitReady returns when the release is as it should be: as many ready pods as are wanted, and none on its way out.
func (r *release) waitReady(within time.Duration) {
	r.Eventually("every pod is ready", within, func() error {
		out, err := r.Try("get", "pods", "-l", "app.kubernetes.io/instance="+r.name, "-o",
			`go-template={{range .items}}{{$name := .metadata.name}}{{if .metadata.deletionTimestamp}}{{$name}} is ending {{end}}`+
				`{{if or (eq .status.phase "Running") (eq .status.phase "Pending")}}{{range .status.conditions}}{{if and (eq .type "Ready") (ne .status "True")}}{{$name}} is not ready {{end}}{{end}}{{end}}{{end}}`)
		if err == nil && strings.TrimSpace(out) != "" {
			err = fmt.Errorf("%s", out)
		}
		if err != nil {
			return err
		}
		for _, kind := range []string{"deployments", "statefulsets"} {
			for _, counts := range r.Words(`{range .items[*]}{.spec.replicas}/{.status.readyReplicas}{" "}{end}`, "get", kind, "-l", "app.kubernetes.io/instance="+r.name) {
				if want, have, _ := strings.Cut(counts, "/"); want != have {
					return fmt.Errorf("%s: %s are ready", kind, counts)
				}
			}
		}
		return nil
	})
}

// waitEndpoint waits until the node's proxy can send a connection to a gateway. Nobody knocks at its node port before: a connection that
// is refused for want of an endpoint stays in the node's connection table for two minutes, past its port translation, and the next one
// from the same port of this machine would be refused, however well the gateways are.
func (r *release) waitEndpoint(within time.Duration) {
	r.Eventually("a gateway is ready", within, func() error {
		ready, err := r.Try("get", "endpointslices", "-l", "kubernetes.io/service-name="+r.object("gateway"),
			"-o", "jsonpath={.items[*].endpoints[?(@.conditions.ready==true)].addresses}")
		if err == nil && ready == "" {
			return fmt.Errorf("no gateway is ready")
		}
		return err
	})
	proxied := time.NewTimer(2 * time.Second) // the node's proxy hears it, too
	defer proxied.Stop()
	<-proxied.C
}

// signUpAndIn is how long it took from a moment until somebody new was signed in: sign-up, mail, verification, sign-in.
func signUpAndIn(t testing.TB, visitor *client.Client, since time.Time) (*client.Client, client.Person, time.Duration) {
	t.Helper()
	visitor.Eventually("the gateway answers", func() bool {
		answer, err := visitor.Try(t.Context(), client.Request{Method: http.MethodGet, Path: "/.well-known/jwks.json"})
		return err == nil && answer.Status == http.StatusOK
	})
	p := visitor.Register(client.NewPerson("first"))
	visitor.Verify(p)
	device := visitor.Device("e2e/first")
	device.Login(p)
	took := time.Since(since)
	p.ID = device.WaitActive().ID // whoever signs up learns it after signing in
	return device, p, took
}
