// Package config owns what the gateway can be configured with.
package config

import (
	"errors"
	"net/url"
	"time"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/netaddr"
	"github.com/atrium-mesh/atrium/pkg/ratelimit"
	"github.com/atrium-mesh/atrium/pkg/service"
)

// Config is the gateway's configuration.
type Config struct {
	service.Config
	service.Identity

	AuthURL          *url.URL `env:"AUTH_URL" envDefault:"http://auth:8080" doc:"Where the auth service is."`
	UsersURL         *url.URL `env:"USERS_URL" envDefault:"http://users:8080" doc:"Where the users service is."`
	NotificationsURL *url.URL `env:"NOTIFICATIONS_URL" envDefault:"http://notifications:8080" doc:"Where the notifications service is."`

	CORSOrigins    []string `env:"CORS_ORIGINS" doc:"Origins whose pages may call, comma-separated: https://app.example.com. Empty: only that of ISSUER."`
	TrustedProxies []string `env:"TRUSTED_PROXIES" doc:"Networks of the proxies in front, comma-separated CIDRs, whose X-Forwarded-For is believed and whose traceparent is followed."`
	MaxBodyBytes   int64    `env:"MAX_BODY_BYTES" envDefault:"1048576" doc:"Largest request body, in bytes, where an operation does not say its own."`

	LogClientAddress ClientAddress `env:"LOG_CLIENT_ADDRESS" envDefault:"full" doc:"How log lines name the client's address: full, short (its /24, of IPv6 its /48) or off."`

	HSTSMaxAge            time.Duration `env:"HSTS_MAX_AGE" envDefault:"8760h" doc:"With an https ISSUER: how long browsers come back over TLS only (Strict-Transport-Security). 0 makes them forget it."`
	HSTSIncludeSubDomains bool          `env:"HSTS_INCLUDE_SUBDOMAINS" envDefault:"false" doc:"The same for every host below that of ISSUER: only when all of them serve TLS."`

	RateLimitSignIn ratelimit.Limit `env:"RATE_LIMIT_SIGN_IN" envDefault:"5/1m" doc:"Sign-ins by client address, and whatever else checks a password (reauthenticate, token), such as 5/1m; off turns it off."`
	RateLimitSignUp ratelimit.Limit `env:"RATE_LIMIT_SIGN_UP" envDefault:"10/1m" doc:"Sign-ups by client address, and whatever else sends a mail or takes a link (verify, resend, forgot, reset, invitation, disown, setup), such as 10/1m; off turns it off."`
	RateLimitAPI    ratelimit.Limit `env:"RATE_LIMIT_API" envDefault:"100/1m" doc:"Other requests by user, by client address for those without a token; off turns it off."`
	RedisURL        string          `env:"REDIS_URL" secret:"true" doc:"redis://… shares the limits between gateways. Empty: each gateway counts for itself."`
}

// Validate reports what no single field can say.
func (c Config) Validate() error {
	var problems []error
	for _, o := range c.CORSOrigins {
		if origin, err := config.OriginOf(o); err != nil || origin != o {
			problems = append(problems, config.Problemf("CORS_ORIGINS",
				"must list origins as browsers write them, such as https://app.example.com: lower case, no path, no default port, no *."))
			break
		}
	}
	for name, u := range map[string]*url.URL{"AUTH_URL": c.AuthURL, "USERS_URL": c.UsersURL, "NOTIFICATIONS_URL": c.NotificationsURL} {
		if !isBase(u) {
			problems = append(problems, config.Problemf(name, "must be an http or https URL without a query, a fragment or a user, such as http://auth:8080."))
		}
	}
	if _, err := netaddr.ParseTrusted(c.TrustedProxies); err != nil {
		problems = append(problems, config.Problemf("TRUSTED_PROXIES", "must list networks such as 10.0.40.0/28: %v.", err))
	}
	if c.MaxBodyBytes <= 0 {
		problems = append(problems, config.Problemf("MAX_BODY_BYTES", "must be more than zero."))
	}
	problems = append(problems, c.browserProblems()...)
	if _, err := ratelimit.Open(c.RedisURL); c.RedisURL != "" && err != nil {
		problems = append(problems, config.Problemf("REDIS_URL", "must be a URL such as redis://user:password@host:6379/0."))
	}
	return errors.Join(problems...)
}

func isBase(u *url.URL) bool {
	if u == nil {
		return false
	}
	_, err := config.BaseOf(u.String())
	return err == nil
}

// Origin is the gateway's own as browsers write it: that of ISSUER.
func (c Config) Origin() (string, error) { return config.OriginOf(c.Issuer) }
