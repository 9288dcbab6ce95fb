package natsconn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
)

// Config is how a service reaches NATS.
type Config struct {
	URL       string `env:"NATS_URL" envDefault:"nats://127.0.0.1:4222" doc:"NATS servers, separated by commas; nats:// or tls://."`
	Username  string `env:"NATS_USERNAME" doc:"User to authenticate as, with NATS_PASSWORD."`
	Password  string `env:"NATS_PASSWORD" secret:"true" doc:"Password of NATS_USERNAME."`
	CredsFile string `env:"NATS_CREDS_FILE" doc:"Credentials file (JWT and seed) to authenticate with."`
	CAFile    string `env:"NATS_CA_FILE" doc:"Certificate authority of the NATS servers, PEM."`
	CertFile  string `env:"NATS_CERT_FILE" doc:"Client certificate for mutual TLS, PEM."`
	KeyFile   string `env:"NATS_KEY_FILE" doc:"Private key of the client certificate, PEM."`
	Replicas  int    `env:"NATS_STREAM_REPLICAS" envDefault:"1" doc:"How many NATS servers keep a copy of each stream of events, 1 to 5: 3 where there are three servers. It can be changed later."`
}

// Validate reports what no single field can.
func (c Config) Validate() error {
	var problems []error
	if (c.CertFile == "") != (c.KeyFile == "") {
		problems = append(problems, errors.New("NATS_CERT_FILE and NATS_KEY_FILE belong together"))
	}
	if (c.Username == "") != (c.Password == "") {
		problems = append(problems, errors.New("NATS_USERNAME and NATS_PASSWORD belong together"))
	}
	if c.Username != "" && c.CredsFile != "" {
		problems = append(problems, errors.New("NATS_USERNAME and NATS_CREDS_FILE exclude each other"))
	}
	if c.Replicas < 0 || c.Replicas > mostReplicas {
		problems = append(problems, fmt.Errorf("NATS_STREAM_REPLICAS must be 1 to %d", mostReplicas))
	}
	return errors.Join(problems...)
}

const (
	reconnectWait   = 250 * time.Millisecond
	reconnectJitter = 250 * time.Millisecond
	pingInterval    = 10 * time.Second
	drainTimeout    = 10 * time.Second
	checkTimeout    = 2 * time.Second
	mostReplicas    = 5 // JetStream's own limit
)

// Conn is a connection as a lifecycle component: it is usable at once, and Stop drains it.
type Conn struct {
	*nats.Conn
	closed chan struct{}
}

// Open makes a connection called name, which reconnects for ever. It does not wait for a server; only a configuration that cannot work
// is an error. Until there is a server, publishing fails at once: nothing is buffered, since what is buffered can be lost out of order.
func Open(cfg Config, name string, logger *slog.Logger) (*Conn, error) {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	c := &Conn{closed: make(chan struct{})}
	trouble := &trouble{logger: logger, url: cfg.URL}
	opts := []nats.Option{
		nats.Name(name), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectWait(reconnectWait),
		nats.ReconnectJitter(reconnectJitter, reconnectJitter), nats.ReconnectBufSize(-1), nats.PingInterval(pingInterval),
		nats.MaxPingsOutstanding(2), nats.DrainTimeout(drainTimeout),
		nats.CustomInboxPrefix(InboxPrefix(name)),
		nats.IgnoreAuthErrorAbort(), // a password may be mended on the server
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) { trouble.report(err) }),
		nats.ConnectHandler(func(nc *nats.Conn) {
			trouble.over()
			logger.Info("connected to NATS", "server", nc.ConnectedServerName())
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			trouble.over()
			logger.Info("connected to NATS again", "server", nc.ConnectedServerName())
		}),
		nats.DisconnectErrHandler(func(nc *nats.Conn, err error) {
			if !nc.IsClosed() {
				logger.Warn("lost the connection to NATS", "error", err)
			}
		}),
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) {
			attrs := []any{"error", err}
			if sub != nil {
				attrs = append(attrs, "subject", sub.Subject)
			}
			logger.Warn("NATS reports an error", attrs...)
		}),
		nats.ClosedHandler(func(*nats.Conn) { close(c.closed) }),
	}
	nc, err := nats.Connect(cfg.URL, append(opts, cfg.security()...)...)
	if err != nil {
		return nil, fmt.Errorf("set up the connection to NATS: %w", err)
	}
	c.Conn = nc
	return c, nil
}

func (c Config) security() []nats.Option {
	var opts []nats.Option
	if c.Username != "" {
		opts = append(opts, nats.UserInfo(c.Username, c.Password))
	}
	if c.CredsFile != "" {
		opts = append(opts, nats.UserCredentials(c.CredsFile))
	}
	if c.CAFile != "" {
		opts = append(opts, nats.RootCAs(c.CAFile))
	}
	if c.CertFile != "" {
		opts = append(opts, nats.ClientCert(c.CertFile, c.KeyFile))
	}
	return opts
}

// Start does nothing: the connection is made by Open, and a server that is away is no reason not to start.
func (c *Conn) Start(context.Context) error { return nil }

// Stop lets subscriptions finish what they have received and closes the connection, no later than ctx ends.
func (c *Conn) Stop(ctx context.Context) error {
	if !c.IsConnected() || c.Drain() != nil { // nothing to drain, or no way to
		c.Close()
	}
	select {
	case <-c.closed:
		return nil
	case <-ctx.Done():
		c.Close()
		<-c.closed
		return fmt.Errorf("drain the connection to NATS: %w", ctx.Err())
	}
}

// Check is a health check: nil while connected to a server that answers.
func Check(nc *nats.Conn) func(context.Context) error {
	return func(ctx context.Context) error {
		if !nc.IsConnected() {
			return Err(nats.ErrDisconnected)
		}
		ctx, cancel := context.WithTimeout(ctx, checkTimeout) // the client wants a deadline
		defer cancel()
		return Err(nc.FlushWithContext(ctx))
	}
}
