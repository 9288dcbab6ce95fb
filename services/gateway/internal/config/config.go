// Package config owns what the gateway can be configured with.
package config

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/netaddr"
	"github.com/atrium-mesh/atrium/pkg/ratelimit"
	"github.com/atrium-mesh/atrium/pkg/service"
)

// Config is the gateway's configuration.
type Config struct {
	service.Config

	AuthURL          *url.URL `env:"AUTH_URL" envDefault:"http://auth:8080" doc:"Where the auth service is."`
	UsersURL         *url.URL `env:"USERS_URL" envDefault:"http://users:8080" doc:"Where the users service is."`
	NotificationsURL *url.URL `env:"NOTIFICATIONS_URL" envDefault:"http://notifications:8080" doc:"Where the notifications service is."`

	CORSOrigins    []string `env:"CORS_ORIGINS" doc:"Origins whose pages may call, comma-separated: https://app.example.com. Empty: only that of ISSUER."`
	TrustedProxies []string `env:"TRUSTED_PROXIES" doc:"Networks of the proxies in front, comma-separated CIDRs, whose X-Forwarded-For is believed."`
	MaxBodyBytes   int64    `env:"MAX_BODY_BYTES" envDefault:"1048576" doc:"Largest request body, in bytes, where an operation does not say its own."`

	RateLimitSignIn ratelimit.Limit `env:"RATE_LIMIT_SIGN_IN" envDefault:"5/1m" doc:"Sign-ins by client address; off turns it off."`
	RateLimitSignUp ratelimit.Limit `env:"RATE_LIMIT_SIGN_UP" envDefault:"10/1m" doc:"Sign-ups by client address; off turns it off."`
	RateLimitAPI    ratelimit.Limit `env:"RATE_LIMIT_API" envDefault:"100/1m" doc:"Other requests by user, by client address for those without a token; off turns it off."`
	RedisURL        string          `env:"REDIS_URL" secret:"true" doc:"redis://… shares the limits between gateways. Empty: each gateway counts for itself."`
}

// Validate reports what no single field can say.
func (c Config) Validate() error {
	var problems []error
	for _, o := range c.CORSOrigins {
		if origin, err := originOf(o); err != nil || origin != o {
			problems = append(problems, config.Problemf("CORS_ORIGINS",
				"must list origins as browsers write them, such as https://app.example.com: lower case, no path, no default port, no *."))
			break
		}
	}
	for name, u := range map[string]*url.URL{"AUTH_URL": c.AuthURL, "USERS_URL": c.UsersURL, "NOTIFICATIONS_URL": c.NotificationsURL} {
		if u == nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.RawQuery != "" || u.User != nil {
			problems = append(problems, config.Problemf(name, "must be an http or https URL without a query."))
		}
	}
	if _, err := netaddr.ParseTrusted(c.TrustedProxies); err != nil {
		problems = append(problems, config.Problemf("TRUSTED_PROXIES", "must list networks such as 10.0.0.0/8: %v.", err))
	}
	if c.MaxBodyBytes <= 0 {
		problems = append(problems, config.Problemf("MAX_BODY_BYTES", "must be more than zero."))
	}
	if _, err := ratelimit.Open(c.RedisURL); c.RedisURL != "" && err != nil {
		problems = append(problems, config.Problemf("REDIS_URL", "must be a URL such as redis://user:password@host:6379/0."))
	}
	return errors.Join(problems...)
}

// Origin is the gateway's own as browsers write it: that of ISSUER.
func (c Config) Origin() (string, error) { return originOf(c.Issuer) }

// originOf is the origin of a URL as browsers write it (RFC 6454 section 6.2).
func originOf(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || strings.Contains(u.Host, "*") || (u.Scheme != "http" && u.Scheme != "https") {
		return "", fmt.Errorf("%q has no origin", raw)
	}
	host := strings.ToLower(u.Host)
	if port := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]; strings.HasSuffix(host, port) {
		host = strings.TrimSuffix(host, port)
	}
	return u.Scheme + "://" + host, nil
}
