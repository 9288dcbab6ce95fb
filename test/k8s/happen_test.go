package k8s_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	authapi "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
	"github.com/atrium-mesh/atrium/test/k8s/crowd"
)

// What happens, as the table calls it.
const (
	upgrading   = "upgrade to a newer schema"
	downgrading = "and back to the build before"
	deleting    = "each pod deleted in turn"
	killing     = "a NATS node killed"
	restarting  = "PostgreSQL restarted"
	rotating    = "signing keys rotated"
)

// people is how many use the mesh meanwhile.
const people = 12

// happen lets everything that happens to a mesh happen while people use it, and counts what they notice: nothing but "not now" while
// PostgreSQL restarts.
func happen(t *testing.T, r *release, visitor, admin *client.Client) {
	t.Helper()
	c := crowd.Start(t, visitor, admin, people, crowd.DefaultPace)
	c.During(t, upgrading, func(t *testing.T) { r.For(t).moveTo(t, next(), true) })
	c.During(t, downgrading, func(t *testing.T) { r.For(t).moveTo(t, tag(), true) })
	c.During(t, deleting, func(t *testing.T) { r.For(t).deleteEachPod() })
	c.During(t, killing, func(t *testing.T) { r.For(t).killNATS(t) })
	c.During(t, rotating, func(t *testing.T) { r.For(t).rotateKeys(t, admin.For(t)) })
	c.During(t, restarting, func(t *testing.T) { r.For(t).restartPostgres(t) })

	c.Rest()
	r.Eventually("everybody has received everything", time.Minute, func() error {
		if slices.ContainsFunc(c.People, func(p *crowd.Person) bool { return !p.Caught() }) {
			return fmt.Errorf("some wait for notifications")
		}
		return nil
	})
	c.Stop()
	t.Logf("\n%s", c.Tally)
	notifications := c.NobodyMissedAnything(t)
	t.Logf("%d notifications sent to %d people, each received once; %d streams opened", notifications, len(c.People), c.Tally.Count("stream"))
	for _, phase := range []string{upgrading, downgrading, deleting, killing, rotating, restarting, "nothing happens"} {
		seen := c.Tally.In(phase)
		require.Zero(t, seen.Failed, "failed requests while: %s", phase)
		if phase != restarting && phase != "nothing happens" {
			require.Zero(t, seen.Later, "requests that were told to come later while: %s", phase)
		}
	}
	r.nothingIsLost(t, c)
}

// moveTo upgrades every service to another build. Its schema is what the database then has.
func (r *release) moveTo(t *testing.T, tag string, newer bool) {
	t.Helper()
	r.upgrade("--set", "image.tag="+tag)
	r.waitReady(3 * time.Minute)
	for _, s := range services {
		image := r.Kubectl("get", "deployment", r.object(s), "-o", "jsonpath={.spec.template.spec.containers[0].image}")
		require.True(t, strings.HasSuffix(image, ":"+tag), image)
	}
	for _, s := range services[:3] {
		version := r.MustQuery("atrium_"+s, "SELECT max(version_id) FROM service_migrations")
		require.Equal(t, newer, version == "90000", "schema of %s is at %s", s, version)
	}
}

func (r *release) deleteEachPod() {
	for _, s := range services {
		for _, pod := range r.Pods(s) {
			r.Kubectl("delete", "pod", pod, "--wait")
			r.waitReady(2 * time.Minute)
		}
	}
}

// killNATS kills the node that leads the stream of auth, without a goodbye.
func (r *release) killNATS(t *testing.T) {
	t.Helper()
	node := r.object("nats") + "-1"
	require.Contains(t, r.Pods("nats"), node)
	r.Kubectl("delete", "pod", node, "--force", "--grace-period=0")
	r.waitReady(2 * time.Minute)
}

func (r *release) restartPostgres(t *testing.T) {
	t.Helper()
	pods := r.Pods("postgres")
	require.Len(t, pods, 1)
	r.Kubectl("delete", "pod", pods[0], "--wait")
	r.waitReady(2 * time.Minute)
}

// rotateKeys makes a successor of the key that signs and lets it sign. It is published for an hour before; the test lets only as much time
// pass as replicas need to read it, so that no verifier can have it in its cache.
func (r *release) rotateKeys(t *testing.T, admin *client.Client) {
	t.Helper()
	before := r.signingKey()
	admin.Post(authapi.RotateKeys.Path, map[string]any{}).Want(http.StatusOK)
	wait := time.NewTimer(15 * time.Second)
	defer wait.Stop()
	<-wait.C
	r.MustQuery("atrium_auth", "UPDATE signing_keys SET activates_at = now() WHERE activates_at > now()")
	r.Eventually("another key signs", time.Minute, func() error {
		if now := r.signingKey(); now == before {
			return fmt.Errorf("%s still signs", now)
		}
		return nil
	})
	again := time.NewTimer(20 * time.Second) // every replica has read that it signs, and everybody has refreshed
	defer again.Stop()
	<-again.C
}

func (r *release) signingKey() string {
	return r.MustQuery("atrium_auth", "SELECT kid FROM signing_keys WHERE activates_at <= now() ORDER BY activates_at DESC LIMIT 1")
}

// nothingIsLost looks into the databases: everybody's account, profile, recipient and mail are there, every event was published and
// handled by whoever hears it, and none is a dead letter.
func (r *release) nothingIsLost(t *testing.T, c *crowd.Crowd) {
	t.Helper()
	r.Eventually("everything that was committed has been published and sent", time.Minute, func() error {
		for _, s := range services[:3] {
			if n := r.MustQuery("atrium_"+s, "SELECT count(*) FROM outbox WHERE published_at IS NULL"); n != "0" {
				return fmt.Errorf("%s has %s events to publish", s, n)
			}
		}
		if n := r.MustQuery("atrium_notifications", "SELECT count(*) FROM deliveries WHERE state IN ('queued', 'sending', 'failed')"); n != "0" {
			return fmt.Errorf("%s mails are to be sent", n)
		}
		if missing := r.missing(t); missing != "" {
			return fmt.Errorf("%s", missing)
		}
		return nil
	})
	for _, s := range services[:3] {
		require.Equal(t, "0", r.MustQuery("atrium_"+s, "SELECT count(*) FROM dead_letters"), "dead letters of %s", s)
	}
	for _, p := range c.People {
		name := r.MustQuery("atrium_users", fmt.Sprintf("SELECT full_name FROM users WHERE id = '%s'", p.ID))
		require.Equal(t, p.Name(), name, "what %s was called last", p.Email)
		require.Equal(t, name, r.MustQuery("atrium_notifications", fmt.Sprintf("SELECT full_name FROM recipients WHERE id = '%s'", p.ID)))
	}
	var events []string
	for _, s := range services[:3] {
		events = append(events, r.MustQuery("atrium_"+s, "SELECT count(*) FROM outbox")+" of "+s)
	}
	t.Logf("events: %s; every one published, and handled by whoever hears it; no dead letters", strings.Join(events, ", "))
}

// missing names an event that somebody has not handled who handles others of its type; "" when there is none.
func (r *release) missing(t *testing.T) string {
	t.Helper()
	for _, producer := range services[:3] {
		for _, consumer := range services[:3] {
			types := r.MustQuery("atrium_"+consumer, "SELECT DISTINCT type FROM inbox WHERE type LIKE '"+producer+".%'")
			if types == "" {
				continue
			}
			quoted := "'" + strings.Join(strings.Fields(types), "','") + "'"
			committed := strings.Fields(r.MustQuery("atrium_"+producer, "SELECT id FROM outbox WHERE type IN ("+quoted+")"))
			handled := strings.Fields(r.MustQuery("atrium_"+consumer, "SELECT event_id FROM inbox WHERE type IN ("+quoted+")"))
			slices.Sort(handled)
			for _, id := range committed {
				if _, ok := slices.BinarySearch(handled, id); !ok {
					return fmt.Sprintf("%s has not handled %s of %s", consumer, id, producer)
				}
			}
		}
	}
	return ""
}
