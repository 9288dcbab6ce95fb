package natsconn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// The defaults of StreamConfig.
const (
	DefaultMaxAge     = 7 * 24 * time.Hour
	DefaultMaxBytes   = 1 << 30
	DefaultDuplicates = 2 * time.Minute
)

// requestWithin bounds one request: a server that has just come back may not answer, and the next one succeeds.
const requestWithin = 2 * time.Second

// StreamConfig is what a stream of events should be. Zero values mean the defaults.
type StreamConfig struct {
	Name       string
	Subjects   []string
	Replicas   int           // default 1; can be changed when there are enough servers
	Logger     *slog.Logger  // told when there are too few of them; nil is silent
	MaxAge     time.Duration // default 7 days
	MaxBytes   int64         // default 1 GiB; the oldest messages go first
	Duplicates time.Duration // window in which a repeated Nats-Msg-Id is dropped; default and least 2 minutes
}

func (c StreamConfig) jetstream() jetstream.StreamConfig {
	orInt := func(v, d int64) int64 {
		if v > 0 {
			return v
		}
		return d
	}
	maxAge := time.Duration(orInt(int64(c.MaxAge), int64(DefaultMaxAge)))
	return jetstream.StreamConfig{
		Name: c.Name, Subjects: c.Subjects, Storage: jetstream.FileStorage, Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardOld,
		Replicas: int(orInt(int64(c.Replicas), 1)), MaxAge: maxAge, MaxBytes: orInt(c.MaxBytes, DefaultMaxBytes),
		Duplicates: min(max(c.Duplicates, DefaultDuplicates), maxAge), DenyDelete: true,
	}
}

// EnsureStream makes the stream, or brings its limits up to date, and returns what it is now. It tries until ctx is done, with a
// pause that grows to 5 s, while NATS or JetStream is away, or has too few servers for the replicas of a stream that is not there yet. One
// that is there stays as it is then, which is logged.
func EnsureStream(ctx context.Context, js jetstream.JetStream, cfg StreamConfig) (*jetstream.StreamInfo, error) {
	var cause error
	for attempt := 0; ; attempt++ {
		info, err := ensureOnce(ctx, js, cfg)
		if err == nil {
			return info, nil
		}
		if tooFewServers(err) {
			if info := existing(ctx, js, cfg.Name); info != nil {
				loggerOr(cfg.Logger).WarnContext(ctx, "the stream has fewer replicas than NATS_STREAM_REPLICAS asks for; going on with those it has",
					"stream", cfg.Name, "replicas", info.Config.Replicas, "wanted", cfg.Replicas, "error", err)
				return info, nil
			}
		} else if apiErr, ok := errors.AsType[*jetstream.APIError](err); ok && apiErr.Code >= 400 && apiErr.Code < 500 {
			return nil, fmt.Errorf("make stream %s: %w", cfg.Name, err) // it will not get better
		}
		if cause == nil || ctx.Err() == nil { // the end of ctx is no reason when there was one before
			cause = err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("make stream %s: %w", cfg.Name, errors.Join(Err(cause), ctx.Err()))
		case <-time.After(pause(attempt)):
		}
	}
}

// The codes of JetStream for too few servers: https://github.com/nats-io/nats-server/blob/main/server/errors.json
const (
	codeNoSuitablePeers      jetstream.ErrorCode = 10005
	codeReplicasNotSupported jetstream.ErrorCode = 10074 // a server by itself
)

func tooFewServers(err error) bool {
	e, ok := errors.AsType[*jetstream.APIError](err)
	return ok && (e.ErrorCode == codeNoSuitablePeers || e.ErrorCode == codeReplicasNotSupported)
}

// existing is the stream as it is, or nil.
func existing(ctx context.Context, js jetstream.JetStream, name string) *jetstream.StreamInfo {
	ctx, cancel := context.WithTimeout(ctx, requestWithin)
	defer cancel()
	stream, err := js.Stream(ctx, name)
	if err != nil {
		return nil
	}
	return stream.CachedInfo()
}

func loggerOr(logger *slog.Logger) *slog.Logger {
	if logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return logger
}

// ensureOnce looks first: most users of NATS may publish to a stream and look at it, and change none.
func ensureOnce(ctx context.Context, js jetstream.JetStream, cfg StreamConfig) (*jetstream.StreamInfo, error) {
	have := existing(ctx, js, cfg.Name)
	if have != nil && cfg.is(have.Config) {
		return have, nil
	}
	info, err := makeOnce(ctx, js, cfg)
	if err != nil && have != nil && cfg.takes(have.Config) && errors.Is(err, context.DeadlineExceeded) { // NATS refuses by not answering
		loggerOr(cfg.Logger).WarnContext(ctx, "the limits of the stream cannot be changed; going on with those it has", "stream", cfg.Name)
		return have, nil
	}
	return info, err
}

// takes reports whether a stream takes these subjects and nothing from elsewhere, and passes nothing on.
func (c StreamConfig) takes(have jetstream.StreamConfig) bool {
	return slices.Equal(have.Subjects, c.Subjects) && have.Mirror == nil && len(have.Sources) == 0 && have.RePublish == nil &&
		have.SubjectTransform == nil
}

// is reports whether a stream is what it should be.
func (c StreamConfig) is(have jetstream.StreamConfig) bool {
	want := c.jetstream()
	return c.takes(have) && have.Replicas == want.Replicas && have.MaxAge == want.MaxAge && have.MaxBytes == want.MaxBytes &&
		have.Duplicates == want.Duplicates && have.DenyDelete == want.DenyDelete && have.Discard == want.Discard && unbounded(have)
}

// unbounded reports whether a stream takes every message that fits, and says so.
func unbounded(have jetstream.StreamConfig) bool {
	return have.MaxMsgSize <= 0 && have.MaxMsgs <= 0 && have.MaxMsgsPerSubject <= 0 && !have.NoAck && !have.Sealed
}

func makeOnce(ctx context.Context, js jetstream.JetStream, cfg StreamConfig) (*jetstream.StreamInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, requestWithin)
	defer cancel()
	stream, err := js.CreateOrUpdateStream(ctx, cfg.jetstream())
	if err != nil {
		return nil, err
	}
	return stream.CachedInfo(), nil
}

func pause(attempt int) time.Duration {
	d := min(100*time.Millisecond<<min(attempt, 10), 5*time.Second)
	return d/2 + rand.N(d/2) //nolint:gosec // jitter
}
