package local

import (
	"fmt"
	"maps"
	"strings"

	"github.com/atrium-mesh/atrium/pkg/config"
)

// environment is what the services are configured with, by the same keys as in a cluster. The process's own environment
// comes first, so that RATE_LIMIT_API=off or OTEL_EXPORTER_OTLP_ENDPOINT work here as there; what local mode decides wins.
type environment struct {
	process   config.Source
	origin    string
	nats      string
	secret    string            // SECRET_KEY
	services  map[string]string // SERVICE_SECRET of each service
	databases map[string]string
	smtpPort  int
	level     string
}

// with lays variables over those of the process; NAME_FILE of the process does not compete with them.
func (e environment) with(variables map[string]string) config.Source {
	merged := make(config.Source, len(e.process)+len(variables))
	maps.Copy(merged, e.process)
	for name, value := range variables {
		delete(merged, name+"_FILE")
		merged[name] = value
	}
	return merged
}

// withMail is with, for those who send mails: all of them go to the inbox.
func (e environment) withMail(variables map[string]string) config.Source {
	variables["SMTP_URL"] = fmt.Sprintf("smtp://127.0.0.1:%d?tls=none", e.smtpPort)
	src := e.with(variables)
	maps.DeleteFunc(src, func(name, _ string) bool { return strings.HasPrefix(name, "SMTP_") && name != "SMTP_URL" })
	return src
}

func (e environment) common() map[string]string {
	return map[string]string{
		"HTTP_ADDR":  "127.0.0.1:0",
		"ADMIN_ADDR": "127.0.0.1:0",
		"REPLICA":    "local", // the only one there is: the folder's lock sees to that
		"NATS_URL":   e.nats,
		"ISSUER":     e.origin,
		"SECRET_KEY": e.secret,
		"LOG_LEVEL":  e.level,
		"LOG_FORMAT": "json",
	}
}

func (e environment) auth(adminEmail, adminPassword string) config.Source {
	v := e.common()
	v["DATABASE_URL"] = e.databases["auth"]
	v["ADMIN_EMAIL"], v["ADMIN_PASSWORD"] = adminEmail, adminPassword
	for name, secret := range e.services {
		v["SERVICE_SECRET_"+strings.ToUpper(name)] = secret
	}
	return e.withMail(v)
}

func (e environment) users(authURL string) config.Source {
	v := e.common()
	v["DATABASE_URL"] = e.databases["users"]
	v["SERVICE_SECRET"] = e.services["users"]
	v["JWKS_URL"] = jwks(authURL)
	return e.with(v)
}

func (e environment) notifications(authURL string) config.Source {
	v := e.common()
	v["DATABASE_URL"] = e.databases["notifications"]
	v["SERVICE_SECRET"] = e.services["notifications"]
	v["JWKS_URL"] = jwks(authURL)
	return e.withMail(v)
}

func (e environment) gateway(listen, authURL, usersURL, notificationsURL string) config.Source {
	v := e.common()
	v["HTTP_ADDR"] = listen
	v["SERVICE_SECRET"] = e.services["gateway"]
	v["JWKS_URL"] = jwks(authURL)
	v["AUTH_URL"], v["USERS_URL"], v["NOTIFICATIONS_URL"] = authURL, usersURL, notificationsURL
	return e.with(v)
}

func jwks(authURL string) string { return authURL + "/.well-known/jwks.json" }
