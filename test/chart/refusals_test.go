package chart_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRefusals asks for what cannot work: helm must say so in one sentence, before anything is installed.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for settings, want := range map[string]string{
		"publicURL=https://atrium.example.com/":  "publicURL must not end in a slash.",
		"publicURL=https://example.com/base":     "publicURL must be scheme, host and port alone",
		"publicURL=https://ada@example.com":      "publicURL must be scheme, host and port alone",
		"nats.bundled.replicas=2":                "nats.bundled.replicas must be 1 or 3, not 2.",
		"nats.mode=external":                     "nats.external.url is required with nats.mode external.",
		"nats.mode=external,nats.external.url=x": "auth.existingSecret is required with nats.external.passwords",
		"postgres.mode=external":                 "auth.database.existingSecret is required with postgres.mode external",
		"postgres.mode=external,auth.database.existingSecret=a,users.database.existingSecret=u": "notifications.database.existingSecret is required",
		"tls.mode=given": "tls.given.auth is required with tls.mode given",
		"tls.mode=given,tls.given.auth=a,tls.given.users=a,tls.given.notifications=a,tls.given.gateway=a": "tls.given.nats is required",
		"inbox.enabled=false":                                        "mail.existingSecret is required when inbox.enabled is false",
		"httpRoute.enabled=true":                                     "httpRoute.parentRefs is required",
		"notifications.env.SMTP_CA_FILE=/ca.pem":                     "notifications.env.SMTP_CA_FILE must be set to the same in auth.env: both send mails.",
		"auth.env.PRODUCT_NAME=Acme":                                 "auth.env.PRODUCT_NAME must be set to the same in notifications.env",
		"auth.env.MAIL_FROM=a@b.c,notifications.env.MAIL_FROM=d@b.c": "auth.env.MAIL_FROM must be set to the same in notifications.env",
		"ingress.enabled=true":                                       "gateway.trustedProxies is required with ingress.enabled: the addresses of the proxies in front",
		"httpRoute.enabled=true,httpRoute.parentRefs[0].name=public": "gateway.trustedProxies is required with httpRoute.enabled",
		"ingress.enabled=true,gateway.trustedProxies={10.0.0.0/8}":   "gateway.trustedProxies must not hold 10.0.0.0/8",
		"gateway.trustedProxies={10.0.40.0/28,0.0.0.0/0}":            "gateway.trustedProxies must not hold 0.0.0.0/0",
		"gateway.trustedProxies={::/0}":                              "gateway.trustedProxies must not hold ::/0",
		"gateway.trustedProxies={0.0.0.0/9}":                         "gateway.trustedProxies must not hold 0.0.0.0/9",
		"gateway.trustedProxies={2000::/16}":                         "gateway.trustedProxies must not hold 2000::/16",
		"image.tag=main,image.digests.auth=" + digest("a"):           "image.tag and image.digests.auth are both set",
		"image.digests.auth=latest":                                  "digests/auth",
		"users.existingSecret=mine":                                  "nats.bundled.existingSecret is required with users.existingSecret",
		"shutdown.gracePeriod=20":                                    "shutdown.gracePeriod must be at least",
		"postgers.mode=external":                                     "postgers",
		"auth.replica=3":                                             "replica",
		"tls.mode=on":                                                "tls/mode",
		"postgres.mode=mysql":                                        "postgres/mode",
		"publicURL=atrium.example":                                   "publicURL",
		"replicas=many":                                              "replicas",
		"nats.bundled.storage.size=5":                                "size",
	} {
		t.Run(settings, func(t *testing.T) {
			t.Parallel()
			_, err := helm(t, "template", "atrium", chartFolder, "--set", settings)
			require.ErrorContains(t, err, want)
			require.Less(t, strings.Count(err.Error(), "\n"), 8, err.Error())
		})
	}
}

// TestTrustedProxies: addresses and narrow networks are taken, also single ones.
func TestTrustedProxies(t *testing.T) {
	t.Parallel()
	for _, proxies := range []string{"10.0.40.0/28", "10.0.40.17", "10.0.0.0/16", "2001:db8::/64", "2001:db8::1"} {
		_, err := helm(t, "template", "atrium", chartFolder, "--set", "ingress.enabled=true,gateway.trustedProxies={"+proxies+"}")
		require.NoError(t, err, proxies)
	}
}

// TestMailVariables: what both who send mails are told alike is taken, and what is one's own.
func TestMailVariables(t *testing.T) {
	t.Parallel()
	_, err := helm(t, "template", "atrium", chartFolder, "--set",
		"auth.env.PRODUCT_NAME=Acme,notifications.env.PRODUCT_NAME=Acme,auth.env.SMTP_PORT=25,notifications.env.SMTP_PORT=25,notifications.env.LOG_LEVEL=debug")
	require.NoError(t, err)
}

// TestMailVariables_of_one_alone: whatever of mails both services know, the chart wants alike. Words and addresses of mails would differ by
// whether there is a link in them.
func TestMailVariables_of_one_alone(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/configuration.md")
	require.NoError(t, err)
	own := map[string]map[string]bool{}
	for _, service := range []string{"auth", "notifications"} {
		_, section, found := strings.Cut(string(text), "\n## "+service+"\n")
		require.True(t, found, service)
		section, _, _ = strings.Cut(section, "\n## ")
		own[service] = map[string]bool{}
		for _, name := range regexp.MustCompile("(?m)^\\| `((?:SMTP|MAIL|PRODUCT)_[A-Z_]+)`").FindAllStringSubmatch(section, -1) {
			own[service][name[1]] = true
		}
		require.Greater(t, len(own[service]), 8, service)
	}
	for name := range own["notifications"] {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := helm(t, "template", "atrium", chartFolder, "--set", "notifications.env."+name+"=x")
			if !own["auth"][name] {
				require.NoError(t, err, "auth does not know it")
				return
			}
			require.ErrorContains(t, err, "notifications.env."+name+" must be set to the same in auth.env")
		})
	}
}
