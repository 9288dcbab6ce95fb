// Package breach asks a service of breached passwords whether it knows one, without telling it which (ASVS 5.0 6.2.12).
//
// The service speaks the range API of Have I Been Pwned: it is sent the first 5 of the 40 hexadecimal digits of the password's SHA-1, which
// some 1,000 known passwords share, and answers the rest of each. `Add-Padding` makes answers equally long, so that the traffic does not
// tell which were asked for.
//
// Choosing a password never fails because this service is away: whatever goes wrong counts in a metric, and the password passes. After
// three failures in a row nobody is asked for 30 seconds, so that a dead service does not slow every sign-up by its timeout.
package breach

import (
	"bufio"
	"context"
	"crypto/sha1" //nolint:gosec // the range API's digest; nothing is protected by it
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sony/gobreaker/v2"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/atrium-mesh/atrium/pkg/config"
)

const (
	prefixDigits = 5
	timeout      = 2 * time.Second
	maxAnswer    = 256 << 10 // bytes; a padded answer of Have I Been Pwned has 40 KiB
	openAfter    = 3         // failures in a row after which nobody is asked
	openFor      = 30 * time.Second
)

// Deps is what the client works with. All may be left out.
type Deps struct {
	Logger  *slog.Logger
	Meter   metric.MeterProvider
	OpenFor time.Duration // zero: 30 seconds
}

// Client asks one service. It is safe for concurrent use.
type Client struct {
	endpoint string
	http     *http.Client
	breaker  *gobreaker.CircuitBreaker[bool]
	logger   *slog.Logger
	asked    metric.Int64Counter
}

// New makes a client of the service at endpoint, such as https://api.pwnedpasswords.com/range.
func New(endpoint string, deps Deps) (*Client, error) {
	base, err := config.BaseOf(endpoint)
	if err != nil {
		return nil, fmt.Errorf("the address of the breached passwords is %w", err)
	}
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	if deps.Meter == nil {
		deps.Meter = noop.NewMeterProvider()
	}
	if deps.OpenFor == 0 {
		deps.OpenFor = openFor
	}
	asked, err := deps.Meter.Meter("atrium/auth").Int64Counter("atrium.auth.password_breach_checks",
		metric.WithDescription("Passwords that were looked up in the list of breached ones, by outcome: known, unknown, failed, skipped."))
	if err != nil {
		return nil, fmt.Errorf("count breach checks: %w", err)
	}
	transport := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:      true,
		MaxConnsPerHost:        16,
		IdleConnTimeout:        time.Minute,
		MaxResponseHeaderBytes: 16 << 10,
	}
	return &Client{
		endpoint: base.String(),
		logger:   deps.Logger,
		asked:    asked,
		http: &http.Client{
			Transport:     transport,
			Timeout:       timeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		breaker: gobreaker.NewCircuitBreaker[bool](gobreaker.Settings{
			Name:        "password breaches",
			MaxRequests: 1,
			Timeout:     deps.OpenFor,
			ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= openAfter },
			IsExcluded:  func(err error) bool { return errors.Is(err, context.Canceled) }, // the client went away: no failure of theirs
		}),
	}, nil
}

// Known reports whether the service knows a password. It is false when it cannot be asked.
func (c *Client) Known(ctx context.Context, password string) bool {
	sum := sha1.Sum([]byte(password)) //nolint:gosec // see above
	digest := strings.ToUpper(hex.EncodeToString(sum[:]))
	known, err := c.breaker.Execute(func() (bool, error) { return c.ask(ctx, digest[:prefixDigits], digest[prefixDigits:]) })
	switch {
	case errors.Is(err, gobreaker.ErrOpenState), errors.Is(err, gobreaker.ErrTooManyRequests):
		c.count(ctx, "skipped")
	case err != nil:
		c.count(ctx, "failed")
		c.logger.WarnContext(ctx, "the list of breached passwords could not be asked; the password passes", "error", err.Error())
	case known:
		c.count(ctx, "known")
	default:
		c.count(ctx, "unknown")
	}
	return known && err == nil
}

func (c *Client) count(ctx context.Context, outcome string) {
	c.asked.Add(ctx, 1, metric.WithAttributes(attribute.String("outcome", outcome)))
}

// ask looks for the rest of a digest among those that begin with prefix. Its errors say nothing of either.
func (c *Client) ask(ctx context.Context, prefix, rest string) (known bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.endpoint+"/"+prefix, nil)
	if err != nil {
		return false, errors.New("the request cannot be made")
	}
	request.Header.Set("Add-Padding", "true")
	request.Header.Set("User-Agent", "Atrium")
	request.Header.Set("Accept", "text/plain")
	answer, err := c.http.Do(request)
	if err != nil {
		return false, withoutURL(err)
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	if answer.StatusCode != http.StatusOK {
		return false, fmt.Errorf("it answered %d", answer.StatusCode)
	}
	body := &io.LimitedReader{R: answer.Body, N: maxAnswer + 1}
	lines := bufio.NewScanner(body)
	for lines.Scan() {
		suffix, count, ok := strings.Cut(strings.TrimSpace(lines.Text()), ":")
		if ok && strings.EqualFold(suffix, rest) && count != "0" { // what pads the answer was found no time
			known = true
		}
	}
	switch {
	case lines.Err() != nil:
		return false, fmt.Errorf("its answer ends too early: %w", withoutURL(lines.Err()))
	case body.N <= 0:
		return false, fmt.Errorf("its answer has more than %d bytes", maxAnswer)
	default:
		return known, nil
	}
}

// withoutURL is an error of a request without its address, whose end is a part of the digest.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}
