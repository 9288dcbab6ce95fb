// Package mail owns how mails leave the mesh: SMTP with its connections, what stands in a mail's header, and which failures are worth
// another attempt.
package mail

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"time"

	gomail "github.com/wneessen/go-mail"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// Sender sends mails. It keeps connections open for a while, since a connection costs several round trips and a handshake. It is a
// lifecycle component and safe for concurrent use.
type Sender struct {
	client *gomail.Client
	from   *mail.Address
	server server
	idle   *idle
	tracer trace.Tracer
	clock  func() time.Time
}

// NewSender makes a sender. It connects when there is something to send.
func NewSender(c Config, tracer trace.TracerProvider, clock func() time.Time) (*Sender, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("configure mail: %w", err)
	}
	srv, err := c.server()
	if err != nil {
		return nil, err
	}
	from, err := c.from()
	if err != nil {
		return nil, err
	}
	opts, err := c.options(srv)
	if err != nil {
		return nil, err
	}
	client, err := gomail.NewClient(srv.host, opts...)
	if err != nil {
		return nil, fmt.Errorf("make the SMTP client: %w", err)
	}
	return &Sender{
		client: client, from: from, server: srv, idle: newIdle(client.CloseWithSMTPClient), tracer: tracer.Tracer("atrium/mail"), clock: clock,
	}, nil
}

func (c Config) options(srv server) ([]gomail.Option, error) {
	conf, err := c.tlsConfig(srv.host)
	if err != nil {
		return nil, err
	}
	opts := []gomail.Option{gomail.WithPort(srv.port), gomail.WithTimeout(c.Timeout), gomail.WithTLSConfig(conf)}
	switch srv.tls {
	case TLSImplicit:
		opts = append(opts, gomail.WithSSL())
	case TLSNone:
		opts = append(opts, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		opts = append(opts, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if srv.username != "" {
		opts = append(opts, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(srv.username), gomail.WithPassword(srv.password))
	}
	return opts, nil
}

// Send hands a mail over to the server; nil means that the server has accepted it. Any other answer is an *Error. The mail may have been
// accepted although a temporary error is returned: when the connection breaks while the server answers.
func (s *Sender) Send(ctx context.Context, m Message) error {
	ctx, span := s.tracer.Start(ctx, "smtp send", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("server.address", s.server.host), attribute.Int("server.port", s.server.port),
		attribute.String("atrium.delivery_id", m.ID)))
	defer span.End()
	err := s.send(ctx, m)
	if failed, ok := errors.AsType[*Error](err); ok {
		span.SetAttributes(attribute.String("error.type", failed.Reason), attribute.String("smtp.status", failed.Detail))
		span.SetStatus(codes.Error, failed.Reason)
	}
	return err
}

func (s *Sender) send(ctx context.Context, m Message) error {
	msg, err := s.compose(m)
	if err != nil {
		return err
	}
	if c := s.idle.take(); c != nil {
		err := s.client.SendWithSMTPClient(c.smtp, msg)
		if !isStale(err) {
			return s.settle(c, msg, err)
		}
		s.idle.drop(c)
	}
	fresh, err := s.client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return dialError(err)
	}
	c := &conn{smtp: fresh}
	return s.settle(c, msg, s.client.SendWithSMTPClient(c.smtp, msg))
}

// settle keeps or drops the connection and says what became of the mail.
func (s *Sender) settle(c *conn, msg *gomail.Msg, err error) error {
	if err == nil {
		s.idle.put(c)
		return nil
	}
	s.idle.drop(c) // a refusal leaves it usable, but refusals are rare and a new connection is certain
	if msg.IsDelivered() {
		return nil // only the RSET after it failed
	}
	return sendError(err)
}

// isStale reports that a connection had ended before anything of the mail was sent.
func isStale(err error) bool {
	failed, ok := errors.AsType[*gomail.SendError](err)
	return ok && failed.Reason == gomail.ErrConnCheck
}

// Start does nothing: a server that is away is no reason not to start.
func (s *Sender) Start(context.Context) error { return nil }

// Stop closes the connections that are not in use.
func (s *Sender) Stop(context.Context) error {
	s.idle.close()
	return nil
}
