package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/natsconn"
	"github.com/atrium-mesh/atrium/pkg/strictjson"
	"github.com/atrium-mesh/atrium/pkg/token"
)

// Config is what every service is configured with; a service's own Config embeds it. One with a database also
// has a pg.Config.
type Config struct {
	HTTPAddr  string `env:"HTTP_ADDR" envDefault:":8080" doc:"Address that the service listens on."`
	AdminAddr string `env:"ADMIN_ADDR" envDefault:":9090" doc:"Address of /livez, /readyz and /metrics. Keep it private."`
	Replica   string `env:"REPLICA" doc:"A stable name for this process among the replicas of its service, so that after a restart it continues its own unfinished jobs. Empty: the host's name and HTTP_ADDR."`
	TLS       TLS
	NATS      natsconn.Config

	Issuer         string  `env:"ISSUER" envDefault:"http://localhost:8080" doc:"Public origin of the mesh, scheme, host and port alone, as the iss claim of its tokens says it."`
	Audience       string  `env:"AUDIENCE" envDefault:"atrium" doc:"What the aud claim of a token must contain."`
	JWKSURL        string  `env:"JWKS_URL" doc:"Where the keys of ISSUER are. Empty: ISSUER/.well-known/jwks.json."`
	TrustedIssuers Issuers `env:"TRUSTED_ISSUERS" doc:"Further issuers, as JSON: [{\"url\":…,\"jwks_url\":…,\"audience\":…,\"permissions\":[…]}]."`
	SecretKey      Secret  `env:"SECRET_KEY,required" secret:"true" doc:"At least 32 random bytes, in base64 or as they are: openssl rand -base64 32. What can be guessed is refused. Other keys are derived from it; the same for all replicas."`

	DrainDelay time.Duration `env:"DRAIN_DELAY" envDefault:"0s" doc:"At shutdown, time between becoming not ready and refusing connections. Meanwhile every answer asks for its connection to be closed. More than the 5s after which the gateway closes idle connections, and the time that load balancers need to notice."`
}

// Identity is what a service that calls others shows auth who it is by. The configuration of such a service embeds it.
type Identity struct {
	ServiceSecret Secret `env:"SERVICE_SECRET,required" secret:"true" doc:"At least 32 random bytes, in base64 or as they are, shared with auth alone: auth has them as SERVICE_SECRET_USERS, and so on. With them this service proves to auth who it is; they are never sent."`
}

// Validate reports what no single field can say.
func (i Identity) Validate() error {
	return i.ServiceSecret.Problem("SERVICE_SECRET")
}

// Validate reports what no single field can say.
func (c Config) Validate() error {
	var errs []error
	// Cookies, pages and the origin that browsers compare with are those of a host: below a path they would be somebody else's too.
	if err := config.CheckOrigin("ISSUER", c.Issuer); err != nil {
		errs = append(errs, err)
	}
	if c.JWKSURL != "" {
		if err := config.CheckURL("JWKS_URL", c.JWKSURL); err != nil {
			errs = append(errs, err)
		}
	}
	if strings.HasPrefix(c.Audience, token.ServicePrefix) {
		errs = append(errs, config.Problemf("AUDIENCE", "must not begin with %s, which is how services are named.", token.ServicePrefix))
	}
	if err := c.SecretKey.problem("SECRET_KEY"); err != nil {
		errs = append(errs, err)
	}
	if c.DrainDelay < 0 {
		errs = append(errs, config.Problemf("DRAIN_DELAY", "must not be negative."))
	}
	if len(errs) == 0 {
		if err := (token.Config{Issuers: c.issuers(nil)}).Validate(); err != nil {
			errs = append(errs, config.Problemf("TRUSTED_ISSUERS", "is not valid: %v.", err))
		}
	}
	return errors.Join(errs...)
}

func (c Config) jwksURL() string {
	return cmp.Or(c.JWKSURL, c.Issuer+"/.well-known/jwks.json")
}

// issuers is Atrium's own and those that are trusted besides.
func (c Config) issuers(ownKeys func(context.Context) ([]byte, error)) []token.Issuer {
	own := token.Issuer{
		URL:      c.Issuer,
		JWKSURL:  c.jwksURL(),
		Audience: c.Audience,
		Own:      true,
	}
	if c.JWKSURL == "" {
		own.Keys = ownKeys
	}
	return append([]token.Issuer{own}, c.TrustedIssuers...)
}

// Issuers are issuers of tokens besides Atrium's own. Their text form is a JSON array.
type Issuers []token.Issuer

// UnmarshalText reads the JSON form. Unknown members are errors.
func (i *Issuers) UnmarshalText(text []byte) error {
	var list []struct {
		URL         string   `json:"url"`
		JWKSURL     string   `json:"jwks_url"`
		Audience    string   `json:"audience"`
		Permissions []string `json:"permissions"`
	}
	if err := strictjson.UnmarshalKnown(text, &list); err != nil {
		return fmt.Errorf("read issuers: %w", err)
	}
	*i = nil
	for _, one := range list {
		*i = append(*i, token.Issuer{URL: one.URL, JWKSURL: one.JWKSURL, Audience: one.Audience, Permissions: one.Permissions})
	}
	return nil
}
