package mail

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/atrium-mesh/atrium/pkg/config"
)

// The ways to protect a connection.
const (
	TLSStart    = "starttls" // required: a server that does not offer it gets no mail
	TLSImplicit = "tls"
	TLSNone     = "none"
)

// Config is how mails leave.
type Config struct {
	URL      string        `env:"SMTP_URL" secret:"true" doc:"SMTP server as one URL: smtp://user:password@host:587 (STARTTLS), smtps://… (TLS), smtp://…?tls=none. It overrides the other SMTP_ variables that it names. SMTP_HOST or this is required."`
	Host     string        `env:"SMTP_HOST" doc:"SMTP server."`
	Port     int           `env:"SMTP_PORT" doc:"Its port. Empty: 587 for starttls, 465 for tls, 25 for none."`
	Username string        `env:"SMTP_USERNAME" doc:"User at the SMTP server. Empty: no sign-in."`
	Password string        `env:"SMTP_PASSWORD" secret:"true" doc:"Password at the SMTP server."`
	TLS      string        `env:"SMTP_TLS" envDefault:"starttls" doc:"How the connection is protected: starttls (required of the server), tls, or none."`
	CAFile   string        `env:"SMTP_CA_FILE" doc:"PEM file of the certificate authorities that may vouch for the SMTP server. Empty: the system's."`
	Timeout  time.Duration `env:"SMTP_TIMEOUT" envDefault:"10s" doc:"Time to connect, and time to hand over one mail."`
	From     string        `env:"MAIL_FROM" envDefault:"Atrium <no-reply@localhost>" doc:"Sender of all mails: name <address>."`
}

// Validate reports what no single field can say.
func (c Config) Validate() error {
	var problems []error
	s, err := c.server()
	if err != nil {
		problems = append(problems, err)
	} else if s.host == "" {
		problems = append(problems, config.Problemf("SMTP_HOST", "is required, or SMTP_URL."))
	}
	if _, err := mail.ParseAddress(c.From); err != nil {
		problems = append(problems, config.Problemf("MAIL_FROM", "must be an address, such as Atrium <no-reply@example.com>."))
	}
	if c.Timeout <= 0 || c.Timeout > maxTimeout {
		problems = append(problems, config.Problemf("SMTP_TIMEOUT", "must be more than zero and at most %s.", maxTimeout))
	}
	if _, err := c.tlsConfig(""); err != nil {
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// maxTimeout keeps an attempt (a connection, a mail, and asking for its link) within the time of a job.
const maxTimeout = 10 * time.Second

// server is where mails go, however it was configured.
type server struct {
	host               string
	port               int
	username, password string
	tls                string
}

func (c Config) server() (server, error) {
	s := server{host: c.Host, port: c.Port, username: c.Username, password: c.Password, tls: cmp.Or(c.TLS, TLSStart)}
	if c.URL != "" {
		if err := s.read(c.URL); err != nil {
			return s, err
		}
	}
	ports := map[string]int{TLSStart: 587, TLSImplicit: 465, TLSNone: 25}
	if ports[s.tls] == 0 {
		return s, config.Problemf("SMTP_TLS", "must be starttls, tls or none.")
	}
	s.port = cmp.Or(s.port, ports[s.tls])
	if s.port < 1 || s.port > 65535 {
		return s, config.Problemf("SMTP_PORT", "must be between 1 and 65535.")
	}
	return s, nil
}

func (s *server) read(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || (u.Scheme != "smtp" && u.Scheme != "smtps") {
		return config.Problemf("SMTP_URL", "must be smtp://user:password@host:port or smtps://…")
	}
	s.host = u.Hostname()
	if u.Scheme == "smtps" {
		s.tls = TLSImplicit
	}
	s.tls = cmp.Or(u.Query().Get("tls"), s.tls)
	if p := u.Port(); p != "" {
		if s.port, err = strconv.Atoi(p); err != nil {
			return config.Problemf("SMTP_URL", "has a port that is not a number.")
		}
	}
	if u.User != nil {
		s.username = u.User.Username()
		s.password, _ = u.User.Password()
	}
	return nil
}

func (c Config) tlsConfig(host string) (*tls.Config, error) {
	conf := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if c.CAFile == "" {
		return conf, nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, config.Problemf("SMTP_CA_FILE", "cannot be read.")
	}
	conf.RootCAs = x509.NewCertPool()
	if !conf.RootCAs.AppendCertsFromPEM(pem) {
		return nil, config.Problemf("SMTP_CA_FILE", "holds no certificate in PEM.")
	}
	return conf, nil
}

func (c Config) from() (*mail.Address, error) {
	from, err := mail.ParseAddress(c.From)
	if err != nil {
		return nil, fmt.Errorf("read the sender's address: %w", err)
	}
	return from, nil
}
