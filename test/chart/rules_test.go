package chart_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

type alert struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	For         model.Duration    `yaml:"for"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

func alerts(t *testing.T) []alert {
	t.Helper()
	var all []alert
	for _, name := range []string{"atrium.yaml", "kubernetes.yaml"} {
		var rules struct {
			Groups []struct {
				Rules []alert `yaml:"rules"`
			} `yaml:"groups"`
		}
		require.NoError(t, yaml.Unmarshal(file(t, chartDir+"/rules/"+name), &rules))
		for _, g := range rules.Groups {
			all = append(all, g.Rules...)
		}
	}
	require.NotEmpty(t, all)
	return all
}

func TestAlerts(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../../docs/runbooks/Atrium*.md")
	require.NoError(t, err)
	var runbooks, names []string
	for _, page := range pages {
		runbooks = append(runbooks, strings.TrimSuffix(filepath.Base(page), ".md"))
	}
	for _, a := range alerts(t) {
		names = append(names, a.Alert)
		require.NotNil(t, parse(t, a.Expr))
		require.Contains(t, []string{"warning", "critical"}, a.Labels["severity"], a.Alert)
		require.NotEmpty(t, a.Annotations["summary"], a.Alert)
		require.NotEmpty(t, a.Annotations["description"], a.Alert)
		require.Equal(t, "RUNBOOKS/"+a.Alert+".md", a.Annotations["runbook_url"])
		if !strings.Contains(a.Expr, "NAMESPACE") {
			require.Equal(t, strings.Count(a.Expr, "{"), strings.Count(a.Expr, `{release=~".*"`), "%s: the chart narrows it to the release by this", a.Alert)
		}
	}
	slices.Sort(names)
	require.Equal(t, names, runbooks, "each alert has a page, and each page an alert")
}

// fires reports whether an alert has been true for as long as it must, at an instant of a story.
func fires(t *testing.T, name, text string, at time.Duration) bool {
	t.Helper()
	all := alerts(t)
	i := slices.IndexFunc(all, func(a alert) bool { return a.Alert == name })
	require.GreaterOrEqual(t, i, 0, name)
	told := tell(t, text)
	for since := at - time.Duration(all[i].For); since <= at; since += 30 * time.Second {
		if len(told.at(t, all[i].Expr, since)) == 0 {
			return false
		}
	}
	return true
}

func TestAlerts_fire_when_they_should(t *testing.T) {
	t.Parallel()
	const (
		login  = `atrium_operation_duration_seconds_count{namespace="a",release="r",operation="login",`
		mails  = `atrium_notifications_attempts_total{namespace="a",release="r",channel="email",`
		gate   = `http_server_request_duration_seconds_count{namespace="a",release="r",otel_scope_name="atrium/gateway",`
		oldest = `atrium_events_outbox_oldest_seconds{namespace="a",release="r",stream="USERS"} `
		stale  = `atrium_token_watermarks_staleness_seconds{namespace="a",release="r",`
		remain = `atrium_auth_signing_key_remaining_seconds{namespace="a",release="r",component="auth",job="auth",instance="1",algorithm="ES256"} `
		check  = `atrium_ready{namespace="a",release="r",`
		ready  = `kube_pod_status_ready{namespace="NAMESPACE",pod="FULLNAME-auth-1",condition="true"} `
		phase  = `kube_pod_status_phase{namespace="NAMESPACE",pod="FULLNAME-auth-1",phase="Succeeded"} `
	)
	for _, c := range []struct {
		what, alert, story string
		want               bool
	}{
		{"errors of ours", "AtriumSignInFailing", login + `outcome="ok"} 0+50x40` + "\n" + login + `outcome="unavailable"} 0+10x40`, true},
		{"wrong passwords", "AtriumSignInFailing", login + `outcome="ok"} 0+50x40` + "\n" + login + `outcome="unauthenticated"} 0+500x40`, false},
		{"one error in a while", "AtriumSignInFailing", login + `outcome="ok"} 0+500x40` + "\n" + login + `outcome="internal"} 0+1x40`, false},
		{"nobody signs in", "AtriumSignInFailing", login + `outcome="ok"} 7x40` + "\n" + login + `outcome="internal"} 7x40`, false},
		{"5xx", "AtriumGatewayErrors", gate + `http_response_status_code="200"} 0+90x40` + "\n" + gate + `http_response_status_code="503"} 0+10x40`, true},
		{"4xx", "AtriumGatewayErrors", gate + `http_response_status_code="200"} 0+90x40` + "\n" + gate + `http_response_status_code="404"} 0+90x40`, false},
		{"the mail server refuses", "AtriumMailNotSent", mails + `outcome="sent",reason="none"} 0+1x40` + "\n" + mails + `outcome="failed",reason="unreachable"} 0+9x40`, true},
		{"nothing is tried", "AtriumMailNotSent", `atrium_jobs_oldest_seconds{namespace="a",release="r",queue="mail"} 0+60x40`, true},
		{"mails go out", "AtriumMailNotSent", mails + `outcome="sent",reason="none"} 0+9x40` + "\n" + mails + `outcome="failed",reason="unreachable"} 0+1x40` + "\n" + mails + `outcome="skipped",reason="turned_off"} 0+90x40`, false},
		{"a relay that stands", "AtriumOutboxLag", oldest + "0+60x40", true},
		{"a relay that catches up", "AtriumOutboxLag", oldest + "0x20 90 0x20", false},
		{"a relay that works", "AtriumOutboxLag", oldest + "1x40", false},
		{"a dead letter", "AtriumDeadLetters", `atrium_events_dead_letters{namespace="a",release="r",component="users"} 0x10 1x30`, true},
		{"a mail's dead letter", "AtriumSecurityEventStuck", `atrium_events_dead_letters{namespace="a",release="r",component="notifications",type="auth.session.started.v1"} 1x40`, false},
		{"a sign-out's dead letter", "AtriumSecurityEventStuck", `atrium_events_dead_letters{namespace="a",release="r",component="users",type="auth.watermark.raised.v1"} 0x33 1x6`, true},
		{"it was replayed", "AtriumDeadLetters", `atrium_events_dead_letters{namespace="a",release="r",component="users"} 1x10 0x30`, false},
		{"one verifier is deaf", "AtriumRevocationsStale", stale + `component="users",job="users",instance="2"} 0+60x40`, true},
		{"nobody reaches NATS", "AtriumNATSDown", check + `component="auth",job="auth",instance="1",check="nats"} 1x10 0x30` + "\n" + check + `component="users",job="users",instance="2",check="nats"} 1x10 0x30`, true},
		{"one of two does", "AtriumNATSDown", check + `component="auth",job="auth",instance="1",check="nats"} 1x40` + "\n" + check + `component="users",job="users",instance="2",check="nats"} 0x40`, false},
		{"it is the database", "AtriumNATSDown", check + `component="users",job="users",instance="2",check="nats"} 1x40` + "\n" + check + `component="users",job="users",instance="2",check="postgres"} 0x40`, false},
		{"it was a moment", "AtriumNATSDown", check + `component="users",job="users",instance="2",check="nats"} 1x34 0 1x10`, false},
		{"no replica reaches its database", "AtriumDatabaseDown", check + `component="users",job="users",instance="2",check="postgres"} 1x10 0x30` + "\n" + check + `component="auth",job="auth",instance="1",check="postgres"} 1x40`, true},
		{"one replica does", "AtriumDatabaseDown", check + `component="users",job="users",instance="2",check="postgres"} 0x40` + "\n" + check + `component="users",job="users",instance="3",check="postgres"} 1x40`, false},
		{"it migrates", "AtriumDatabaseDown", check + `component="users",job="users",instance="2",check="postgres"} 1x40` + "\n" + check + `component="users",job="users",instance="2",check="migrations"} 0x40`, false},
		{"the gateway has none", "AtriumDatabaseDown", check + `component="gateway",job="gateway",instance="3",check="nats"} 0x40`, false},
		{"overdue", "AtriumKeyNotRotated", remain + "-1x40", true},
		{"on time", "AtriumKeyNotRotated", remain + "3600x40", false},
		{"a pod that does not start", "AtriumPodNotReady", ready + "0x40\n" + phase + "0x40", true},
		{"a job that is done", "AtriumPodNotReady", ready + "0x40\n" + phase + "1x40", false},
	} {
		t.Run(c.alert+"/"+c.what, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, fires(t, c.alert, c.story, 35*time.Minute))
		})
	}
}
