package token

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/metric"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/lifecycle"
	"github.com/atrium-mesh/atrium/pkg/strictjson"
)

const (
	// RaisedSubject is where auth announces a watermark: a CloudEvent in binary mode, whose data is the JSON of a [Watermark].
	RaisedSubject = "events.auth.watermark.raised.v1"

	defaultInterval   = 500 * time.Millisecond
	firstRetry        = 50 * time.Millisecond // doubled each time, until the first poll that succeeds
	defaultStaleAfter = 15 * time.Second
	pollTimeout       = 5 * time.Second
	maxPages          = 1000
	maxEventSize      = 4 << 10
)

// PollFunc asks auth for the watermarks raised after cursor, which is "" at first, oldest first. A cursor equal to the one given says
// that there is nothing more. The same mark may come again: auth lets successive answers overlap, so that marks committed out of order
// are not missed.
type PollFunc func(ctx context.Context, cursor string) (marks []Watermark, next string, err error)

// FollowerConfig is what a Follower is made of. Watermarks and Poll are required.
type FollowerConfig struct {
	Watermarks *Watermarks
	Poll       PollFunc
	NATS       *nats.Conn           // the fast path; nil: poll only
	Logger     *slog.Logger         // nil: silent
	Meter      metric.MeterProvider // nil: none
	Interval   time.Duration        // between two polls, give or take a fifth; 0: half a second
	StaleAfter time.Duration        // when readiness says so; 0: 15 s
}

// Follower keeps Watermarks up to date. It is a lifecycle component and starts while auth or NATS is away.
type Follower struct {
	FollowerConfig
	cursor string

	subscription *nats.Subscription
	registration metric.Registration
	polls        *lifecycle.Loop
}

// NewFollower makes a follower. It panics without Watermarks or Poll.
func NewFollower(c FollowerConfig) *Follower {
	if c.Watermarks == nil || c.Poll == nil {
		panic("token: a follower needs Watermarks and Poll")
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Interval <= 0 {
		c.Interval = defaultInterval
	}
	if c.StaleAfter <= 0 {
		c.StaleAfter = defaultStaleAfter
	}
	f := &Follower{FollowerConfig: c}
	f.polls = lifecycle.Go(f.run)
	return f
}

// Start subscribes and begins to poll at once; it does not wait for the first answer, readiness does.
func (f *Follower) Start(ctx context.Context) error {
	if f.NATS != nil {
		subscription, err := f.NATS.Subscribe(RaisedSubject, f.receive)
		if err != nil {
			return fmt.Errorf("follow watermarks: %w", err)
		}
		f.subscription = subscription
	}
	registration, err := f.observe()
	if err != nil {
		return errors.Join(fmt.Errorf("follow watermarks: %w", err), f.unsubscribe())
	}
	f.registration = registration
	return f.polls.Start(ctx)
}

// Stop ends the subscription and the polls, and waits for the one under way.
func (f *Follower) Stop(ctx context.Context) error {
	return errors.Join(f.polls.Stop(ctx), f.unsubscribe(), f.registration.Unregister())
}

// Failed receives a panic of the poll.
func (f *Follower) Failed() <-chan error { return f.polls.Failed() }

// Ready is a readiness check: an error before the first complete poll, and when the last one is too long ago.
func (f *Follower) Ready(context.Context) error {
	if !f.Watermarks.Synced() {
		return errs.New(errs.Unavailable, "watermarks_missing", "Revocations have not been read yet.")
	}
	if stale := f.Watermarks.Staleness(); stale > f.StaleAfter {
		return errs.New(errs.Unavailable, "watermarks_stale", "Revocations have not been read for "+stale.Round(time.Second).String()+".")
	}
	return nil
}

func (f *Follower) unsubscribe() error {
	if f.subscription == nil {
		return nil
	}
	err := f.subscription.Unsubscribe()
	if err == nil || errors.Is(err, nats.ErrConnectionClosed) || errors.Is(err, nats.ErrBadSubscription) {
		return nil
	}
	return fmt.Errorf("unsubscribe from watermarks: %w", err)
}

// receive is the fast path. What cannot be read is left to the poll.
func (f *Follower) receive(msg *nats.Msg) {
	var m Watermark
	if len(msg.Data) > maxEventSize {
		f.Logger.Warn("watermark event is too long", "bytes", len(msg.Data))
		return
	}
	if err := strictjson.Unmarshal(msg.Data, &m); err != nil {
		f.Logger.Warn("watermark event cannot be read", "error", err)
		return
	}
	f.Watermarks.Raise(m)
}

func (f *Follower) run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	healthy, retry := true, firstRetry
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		err := f.poll(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && healthy:
			f.Logger.WarnContext(ctx, "watermarks cannot be read; going on with those known", "error", err)
		case err == nil && !healthy:
			f.Logger.InfoContext(ctx, "watermarks are read again")
		}
		healthy = err == nil
		pause := f.Interval
		if !f.Watermarks.Synced() { // the service is not ready before
			pause, retry = min(retry, f.Interval), min(2*retry, f.Interval)
		}
		timer.Reset(jitter(pause))
	}
}

// poll reads everything there is after the cursor. Only then are the marks complete, as of when it began.
func (f *Follower) poll(ctx context.Context) error {
	began := f.Watermarks.clock()
	for range maxPages {
		more, err := f.page(ctx)
		if err != nil {
			return err
		}
		if !more {
			f.Watermarks.markSynced(began)
			return nil
		}
	}
	return fmt.Errorf("poll watermarks: not at the end after %d pages", maxPages)
}

// page reads one answer. There is more when it had marks and the cursor moved.
func (f *Follower) page(ctx context.Context) (more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	marks, next, err := f.Poll(ctx, f.cursor)
	if err != nil {
		return false, fmt.Errorf("poll watermarks: %w", err)
	}
	for _, m := range marks {
		f.Watermarks.Raise(m)
	}
	more = len(marks) > 0 && next != f.cursor
	f.cursor = next
	return more, nil
}

func (f *Follower) observe() (metric.Registration, error) {
	meter := meterOf(f.Meter)
	staleness, err := meter.Float64ObservableGauge("atrium.token.watermarks.staleness",
		metric.WithDescription("How long ago the list of revocations was last read completely"), metric.WithUnit("s"))
	if err != nil {
		return nil, fmt.Errorf("gauge: %w", err)
	}
	size, err := meter.Int64ObservableGauge("atrium.token.watermarks.size",
		metric.WithDescription("Revocations in force"), metric.WithUnit("{watermark}"))
	if err != nil {
		return nil, fmt.Errorf("gauge: %w", err)
	}
	registration, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		o.ObserveFloat64(staleness, f.Watermarks.Staleness().Seconds())
		o.ObserveInt64(size, int64(f.Watermarks.Len()))
		return nil
	}, staleness, size)
	if err != nil {
		return nil, fmt.Errorf("gauge: %w", err)
	}
	return registration, nil
}

// jitter is d, give or take a fifth, so that replicas do not ask in step.
func jitter(d time.Duration) time.Duration {
	return d*4/5 + rand.N(d*2/5+1) //nolint:gosec // not a secret
}
