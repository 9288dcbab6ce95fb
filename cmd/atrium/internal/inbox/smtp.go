package inbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// MaxMessageBytes is the largest mail that the server takes.
const MaxMessageBytes = 10 << 20

// Server is the SMTP server. It binds when it is made, so that its address is known before it starts.
type Server struct {
	store    *Store
	logger   *slog.Logger
	listener net.Listener
	smtp     *smtp.Server
	serving  sync.WaitGroup
}

// Listen binds a server to a loopback address such as "127.0.0.1:0"; Start serves it.
func Listen(ctx context.Context, addr string, store *Store, logger *slog.Logger) (*Server, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen for mail on %s: %w", addr, err)
	}
	s := &Server{store: store, logger: logger, listener: listener}
	s.smtp = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &session{store: store, logger: logger}, nil
	}))
	s.smtp.Domain = "localhost"
	s.smtp.MaxMessageBytes = MaxMessageBytes
	s.smtp.MaxRecipients = 100
	s.smtp.ReadTimeout, s.smtp.WriteTimeout = time.Minute, time.Minute
	s.smtp.EnableSMTPUTF8 = true
	s.smtp.ErrorLog = slog.NewLogLogger(logger.Handler(), slog.LevelDebug)
	return s, nil
}

// Addr is the host and port that the server listens on.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Port is the port that the server listens on.
func (s *Server) Port() int {
	if addr, ok := s.listener.Addr().(*net.TCPAddr); ok {
		return addr.Port
	}
	return 0
}

// Start serves mail until Stop.
func (s *Server) Start(ctx context.Context) error {
	logger := s.logger
	s.serving.Go(func() {
		if err := s.smtp.Serve(s.listener); err != nil && !errors.Is(err, smtp.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			logger.ErrorContext(ctx, "the inbox's SMTP server stopped", slog.Any("error", err))
		}
	})
	return nil
}

// Stop closes the listener and every connection. A delivery that it cuts off is not acknowledged: its sender tries again.
func (s *Server) Stop(context.Context) error {
	err := errors.Join(s.smtp.Close(), s.listener.Close()) // the SMTP server knows no listener when it never served
	s.serving.Wait()
	if errors.Is(err, smtp.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// session is one SMTP conversation; go-smtp calls it from one goroutine.
type session struct {
	store      *Store
	logger     *slog.Logger
	from       string
	recipients []string
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.recipients = append(s.recipients, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	mail := Parse(raw)
	mail.From = cmp.Or(mail.From, s.from)
	for _, to := range s.recipients {
		mail.To = to
		if _, err := s.store.Add(mail); err != nil {
			s.logger.Error("a mail could not be kept", slog.Any("error", err))
			return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "the mail could not be kept, try again"}
		}
	}
	return nil
}

func (s *session) Reset() { s.from, s.recipients = "", nil }

func (s *session) Logout() error { return nil }
