package token

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/atrium-mesh/atrium/pkg/errs"
)

const scopeName = "github.com/atrium-mesh/atrium/pkg/token"

// outcome is how a verification ended; of a refusal it is the error's code.
type outcome string

const (
	cached outcome = "cached"
	fresh  outcome = "verified"
	failed outcome = "failed" // the caller left, or the deadline passed
)

// metrics counts verifications by outcome. The attributes are made once, since every request passes here.
type metrics struct {
	verifications metric.Int64Counter
	outcomes      map[outcome]metric.MeasurementOption
}

func newMetrics(provider metric.MeterProvider) metrics {
	meter := meterOf(provider)
	counter, err := meter.Int64Counter("atrium.token.verifications",
		metric.WithDescription("Access tokens looked at, by how that ended"), metric.WithUnit("{token}"))
	if err != nil {
		counter = noop.Int64Counter{}
	}
	m := metrics{verifications: counter, outcomes: map[outcome]metric.MeasurementOption{}}
	for _, o := range []outcome{cached, fresh, failed, CodeMissing, CodeInvalid, CodeExpired, CodeRevoked, CodeKeysUnavailable} {
		m.outcomes[o] = metric.WithAttributeSet(attribute.NewSet(attribute.String("outcome", string(o))))
	}
	return m
}

func (m metrics) verified(ctx context.Context, o outcome, err error) {
	if err != nil {
		o = outcome(errs.From(err).Code)
	}
	option, ok := m.outcomes[o]
	if !ok {
		option = m.outcomes[failed]
	}
	m.verifications.Add(ctx, 1, option)
}

func meterOf(provider metric.MeterProvider) metric.Meter {
	if provider == nil {
		provider = noop.NewMeterProvider()
	}
	return provider.Meter(scopeName)
}
