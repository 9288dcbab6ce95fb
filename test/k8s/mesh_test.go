package k8s_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	authapi "github.com/atrium-mesh/atrium/services/auth/api"
	notificationsapi "github.com/atrium-mesh/atrium/services/notifications/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
	"github.com/atrium-mesh/atrium/test/k8s/cluster"
)

// TestMesh is the life of one installation in a namespace that enforces Pod Security `restricted`: two of every service, three NATS nodes,
// TLS between all parts. It is installed, used, and then everything that happens to a mesh happens to it while people use it.
func TestMesh(t *testing.T) { //nolint:paralleltest // it wants the machine for itself
	r := &release{Namespace: cluster.Restricted(t, "atrium-e2e-mesh"), name: "atrium", chart: chart(t), root: cluster.Root(t)}
	r.values = append(images(t),
		"--set", fmt.Sprintf("publicURL=https://localhost:%d", gatewayPort),
		"--set", "replicas=2", "--set", "nats.bundled.replicas=3",
		"--set", "tls.mode=generated", "--set", "gateway.tls.enabled=true",
		"--set", "gateway.service.type=NodePort", "--set", fmt.Sprintf("gateway.service.nodePort=%d", gatewayPort),
		"--set", "admin.email="+adminEmail, "--set", "redis.existingSecret=redis",
		"--set", "gateway.rateLimits.signUp=off", "--set", "gateway.rateLimits.api=off",
		// Where the node's proxy and this machine come from, on ../shared/cluster, kind and k3d.
		"--set", "gateway.trustedProxies={10.88.0.0/16,10.244.0.0/16,10.42.0.0/16,172.16.0.0/12,192.168.0.0/16}",
	)
	watching := cluster.Restricted(t, "atrium-e2e-monitoring")
	r.values = append(r.values, "--set", "monitoring.namespace="+watching.Name)
	if class := r.StorageClass(4); class != "" {
		r.values = append(r.values, "--set", "postgres.bundled.storage.storageClassName="+class, "--set", "nats.bundled.storage.storageClassName="+class)
	}
	r.ReportFailure()
	r.startRedis(t)
	r.exposeInbox()

	began := time.Now()
	go func() { _, _ = r.TryHelm(r.command()...) }()
	r.Eventually("certificates are there", time.Minute, func() error {
		_, err := r.Try("get", "secret", r.object("gateway-tls"))
		return err
	})
	r.waitEndpoint(90 * time.Second)
	visitor := client.New(t, r.door(t))
	device, p, took := signUpAndIn(t, visitor, began)
	t.Logf("from helm install to the first sign-in: %.1f s", took.Seconds())
	require.LessOrEqual(t, took, 90*time.Second, "from helm install to the first sign-in")
	r.waitReady(2 * time.Minute)
	t.Logf("from helm install until every pod was ready: %.1f s", time.Since(began).Seconds())
	admin := r.administrator(t, visitor)

	t.Run("a notification comes over the WebSocket", func(t *testing.T) { //nolint:paralleltest // in order
		device := device.For(t)
		device.WaitActive()
		stream := device.WebSocket()
		stream.Wait("unread_count")
		admin.For(t).Post(notificationsapi.SendNotification.Path, map[string]any{
			"to": map[string]any{"user_ids": []string{p.ID}}, "category": "product", "title": "Hello", "body": "From Kubernetes.",
		}).Want(http.StatusAccepted)
		require.Equal(t, "Hello", stream.WaitNotification().Title)
	})
	t.Run("what runs is what was asked for", func(t *testing.T) { r.For(t).isRestricted(t) })                    //nolint:paralleltest // in order
	t.Run("only the arrows of the design are open", func(t *testing.T) { arrows(t, r.For(t), watching.For(t)) }) //nolint:paralleltest // in order
	t.Run("helm test", func(t *testing.T) { t.Log(r.For(t).Helm("test", r.name, "--logs")) })                    //nolint:paralleltest // in order
	t.Run("limits are exact across gateways", func(t *testing.T) { exactLimit(t, r.For(t), visitor) })           //nolint:paralleltest // in order
	t.Run("resources", func(t *testing.T) { measure(t, r.For(t), device.For(t)) })                               //nolint:paralleltest // in order
	r.values = append(r.values, "--set", "gateway.rateLimits.signIn=off")
	r.upgrade()
	r.waitReady(3 * time.Minute)
	happen(t, r, visitor, admin)
}

func (r *release) For(t testing.TB) *release {
	other := *r
	other.Namespace = r.Namespace.For(t)
	return &other
}

// startRedis runs the Redis that gateways share their limits in.
func (r *release) startRedis(t testing.TB) {
	t.Helper()
	r.Apply(fmt.Sprintf(`apiVersion: v1
kind: Pod
metadata: {name: redis, labels: {app: redis}}
spec:
  automountServiceAccountToken: false
  securityContext: {runAsNonRoot: true, runAsUser: 65532, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: redis
      image: %s-test/redis:test
      command: [redis-server, --save, "", --protected-mode, "no"]
      securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
---
apiVersion: v1
kind: Service
metadata: {name: redis}
spec: {selector: {app: redis}, ports: [{port: 6379}]}
---
apiVersion: v1
kind: Secret
metadata: {name: redis}
stringData: {redis-url: "redis://redis:6379"}
`, cluster.Registry(t)))
}

// isRestricted looks at what runs: enough of everything, and every part of it reached by TLS alone.
func (r *release) isRestricted(t *testing.T) {
	require.Equal(t, "restricted", r.Kubectl("get", "namespace", r.Name, "-o", `jsonpath={.metadata.labels.pod-security\.kubernetes\.io/enforce}`))
	for _, s := range services {
		require.Len(t, r.Pods(s), 2, s)
	}
	require.Len(t, r.Pods("nats"), 3)
	for _, variable := range []string{"AUTH_URL", "USERS_URL", "NOTIFICATIONS_URL", "JWKS_URL"} {
		url := r.Kubectl("get", "deployment", r.object("gateway"), "-o", fmt.Sprintf("jsonpath={..env[?(@.name==%q)].value}", variable))
		require.True(t, strings.HasPrefix(url, "https://"), "%s is %s", variable, url)
	}
	for _, s := range services[:3] {
		require.Contains(t, r.secret(t, r.object(s), "database-url"), "sslmode=verify-full", s)
		encrypted, err := r.Query("postgres", fmt.Sprintf(
			"SELECT count(*) FILTER (WHERE NOT ssl), count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'atrium_%s'", s))
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(encrypted, "0|") && encrypted != "0|0", "connections of %s without TLS|all: %s", s, encrypted)
	}
	for _, pod := range r.Pods("nats") {
		out := r.Kubectl("get", "--raw", fmt.Sprintf("/api/v1/namespaces/%s/pods/%s:8222/proxy/varz", r.Name, pod))
		require.Contains(t, out, `"tls_required": true`, pod)
		require.Contains(t, out, `"auth_required": true`, pod)
	}
	require.NotContains(t, r.Kubectl("get", "pods", "-o", "jsonpath={.items[*].spec.volumes[*].projected.sources[*].serviceAccountToken}"), "path",
		"no pod has a token of the API server")
}

// exactLimit asks for more sign-ins than a minute has, from one address, of two gateways that share the count. The address is one that the
// proxy in front would have seen.
func exactLimit(t *testing.T, r *release, visitor *client.Client) {
	require.Len(t, r.Pods("gateway"), 2)
	c := visitor.For(t)
	served, limited := 0, 0
	for range 12 {
		answer := client.New(t, c.Door).Do(client.Request{
			Method: http.MethodPost, Path: authapi.Login.Path, Header: http.Header{"X-Forwarded-For": {"203.0.113.7"}},
			Body: map[string]string{"email": "nobody@atrium.example", "password": "a wrong password"},
		})
		switch answer.Status {
		case http.StatusUnauthorized:
			served++
		case http.StatusTooManyRequests:
			answer.WantProblem(http.StatusTooManyRequests, "rate_limited")
			limited++
		default:
			require.Fail(t, "unexpected", answer.String())
		}
	}
	t.Logf("12 sign-ins, each over a connection of its own, at two gateways: %d served, %d limited", served, limited)
	require.Equal(t, 5, served)
}
