package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

const (
	natsUser      = "atrium"
	natsMemory    = 64 << 20
	natsStore     = 4 << 30
	natsSync      = 5 * time.Second // what a power cut may cost; the outbox has it all and sends it again
	natsReadiness = 30 * time.Second
)

// startNATS starts the embedded server on a free loopback port, with JetStream on disk, and returns its URL.
func startNATS(_ context.Context, dir, password string, logger *slog.Logger) (*server.Server, string, error) {
	s, err := server.NewServer(&server.Options{
		ServerName: "atrium-local", Host: "127.0.0.1", Port: server.RANDOM_PORT,
		Username: natsUser, Password: password,
		JetStream: true, StoreDir: dir, JetStreamMaxMemory: natsMemory, JetStreamMaxStore: natsStore, SyncInterval: natsSync,
		NoSigs: true, NoSystemAccount: false,
	})
	if err != nil {
		return nil, "", fmt.Errorf("make the NATS server: %w", err)
	}
	s.SetLogger(natsLogger{logger}, false, false)
	s.Start()
	if !s.ReadyForConnections(natsReadiness) {
		s.Shutdown()
		return nil, "", errors.New("the NATS server was not ready in time: see the log")
	}
	u := url.URL{Scheme: "nats", User: url.UserPassword(natsUser, password), Host: s.Addr().String()}
	return s, u.String(), nil
}

func stopNATS(s *server.Server) {
	s.Shutdown()
	s.WaitForShutdown()
}

// natsLogger hands the server's lines to slog, but for what it calls notices: which version, which folder, a banner.
type natsLogger struct{ logger *slog.Logger }

func (l natsLogger) Noticef(string, ...any)         {}
func (l natsLogger) Warnf(format string, v ...any)  { l.log(slog.LevelDebug, format, v) }
func (l natsLogger) Errorf(format string, v ...any) { l.log(slog.LevelWarn, format, v) }
func (l natsLogger) Fatalf(format string, v ...any) { l.log(slog.LevelError, format, v) }
func (l natsLogger) Debugf(format string, v ...any) { l.log(slog.LevelDebug, format, v) }
func (l natsLogger) Tracef(format string, v ...any) { l.log(slog.LevelDebug, format, v) }

func (l natsLogger) log(level slog.Level, format string, v []any) {
	l.logger.Log(context.Background(), level, "NATS says", "line", fmt.Sprintf(format, v...))
}
