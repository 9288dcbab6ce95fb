package events

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// backoff is the pause after so many failures in a row: doubling from first to most, with jitter.
func backoff(failures int, first, most time.Duration) time.Duration {
	d := most
	if failures < 20 {
		d = min(first<<max(failures-1, 0), most)
	}
	return d/2 + rand.N(d/2+1) //nolint:gosec // jitter
}

func pauseFor(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// waitFor waits for the goroutines, no longer than ctx.
func waitFor(ctx context.Context, wg *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		wg.Wait()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func loggerOr(logger *slog.Logger) *slog.Logger {
	if logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return logger
}
