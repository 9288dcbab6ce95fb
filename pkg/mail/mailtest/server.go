// Package mailtest gives a test an SMTP server of its own: a real one on loopback, with TLS and sign-in where wanted, that keeps what it
// accepts and refuses what the test says.
package mailtest

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"
)

// Options say how the server behaves.
type Options struct {
	TLS      string // "": none; "starttls"; "tls"
	Username string // "": no sign-in wanted
	Password string
}

// Server keeps the mails that it accepts.
type Server struct {
	CAFile string // of the authority that signed its certificate

	t      testing.TB
	stop   func()
	addr   string
	opts   Options
	config *tls.Config

	mu       sync.Mutex
	mails    []Mail
	sessions int
	conns    []net.Conn
	refuse   func(stage Stage, attempt int, m Mail) error
	attempts map[Stage]int
	arrived  chan struct{}
}

// Stage is when a mail is refused.
type Stage string

// The stages.
const (
	Sender  Stage = "MAIL FROM"
	Address Stage = "RCPT TO"
	Content Stage = "DATA"
	Done    Stage = "after DATA" // the mail is kept, and then the answer is the error
)

// New starts a server that ends with the test.
func New(t testing.TB, opts Options) *Server {
	t.Helper()
	s := &Server{t: t, opts: opts, attempts: map[Stage]int{}, arrived: make(chan struct{})}
	if opts.TLS != "" {
		s.config, s.CAFile = certificate(t)
	}
	s.Start("127.0.0.1:0")
	t.Cleanup(s.Stop)
	return s
}

// Start listens; after Stop, on the same port when addr is that of Addr.
func (s *Server) Start(addr string) {
	s.t.Helper()
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.sessions++
		s.conns = append(s.conns, c.Conn())
		return &session{server: s}, nil
	}))
	server.Domain = "sink.test"
	server.AllowInsecureAuth = true
	server.EnableSMTPUTF8 = true
	server.ReadTimeout, server.WriteTimeout = 10*time.Second, 10*time.Second
	server.ErrorLog = quiet{}
	if s.opts.TLS == "starttls" {
		server.TLSConfig = s.config
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(context.Background(), "tcp", addr)
	require.NoError(s.t, err)
	s.addr = listener.Addr().String()
	if s.opts.TLS == "tls" {
		listener = tls.NewListener(listener, s.config)
	}
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(listener) }()
	s.stop = func() {
		_ = listener.Close()
		_ = server.Close()
		<-served
	}
}

// Stop takes the server away at once.
func (s *Server) Stop() { s.stop() }

// HangUp closes all connections; new ones are welcome.
func (s *Server) HangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		_ = c.Close()
	}
	s.conns = nil
}

// Addr is host:port.
func (s *Server) Addr() string { return s.addr }

// Refuse makes the server ask before each stage whether to refuse it; attempt counts from 1 for each stage. Refusal makes the error.
func (s *Server) Refuse(f func(stage Stage, attempt int, m Mail) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = f
}

// Refusal is an answer of the server, such as 550.
func Refusal(code int) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: "no <ada@example.com> here"}
}

// Mails returns what was accepted, in order.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// Sessions is how many connections were greeted.
func (s *Server) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions
}

// Wait returns the first n mails once they are there, and fails the test when that takes more than within.
func (s *Server) Wait(n int, within time.Duration) []Mail {
	s.t.Helper()
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	for {
		s.mu.Lock()
		mails, arrived := slices.Clone(s.mails), s.arrived
		s.mu.Unlock()
		if len(mails) >= n {
			return mails
		}
		select {
		case <-arrived:
		case <-deadline.C:
			require.FailNowf(s.t, "mail missing", "%d of %d arrived within %s", len(mails), n, within)
		}
	}
}

func (s *Server) ask(stage Stage, m Mail) error {
	s.mu.Lock()
	s.attempts[stage]++
	attempt, refuse := s.attempts[stage], s.refuse
	s.mu.Unlock()
	if refuse == nil {
		return nil
	}
	return refuse(stage, attempt, m)
}

func (s *Server) keep(m Mail) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, m)
	close(s.arrived)
	s.arrived = make(chan struct{})
}

type session struct {
	server   *Server
	signedIn bool
	mail     Mail
}

func (s *session) AuthMechanisms() []string {
	if s.server.opts.Username == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		if username != s.server.opts.Username || password != s.server.opts.Password {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "who are you?"}
		}
		s.signedIn = true
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.server.opts.Username != "" && !s.signedIn {
		return smtp.ErrAuthRequired
	}
	s.mail = Mail{EnvelopeFrom: from}
	return s.server.ask(Sender, s.mail)
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mail.EnvelopeTo = to
	return s.server.ask(Address, s.mail)
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := s.mail.parse(string(raw)); err != nil {
		return errors.Join(smtp.ErrDataReset, err)
	}
	if err := s.server.ask(Content, s.mail); err != nil {
		return err
	}
	s.server.keep(s.mail)
	return s.server.ask(Done, s.mail)
}

func (s *session) Reset() { s.mail = Mail{} }

func (s *session) Logout() error { return nil }

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// URL is the server as SMTP_URL says it.
func (s *Server) URL() string {
	scheme, query := "smtp", "?tls=none"
	switch s.opts.TLS {
	case "tls":
		scheme, query = "smtps", ""
	case "starttls":
		query = ""
	}
	user := ""
	if s.opts.Username != "" {
		user = s.opts.Username + ":" + s.opts.Password + "@"
	}
	return scheme + "://" + user + strings.Replace(s.addr, "127.0.0.1", "localhost", 1) + query
}
