package chart_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
	"github.com/stretchr/testify/require"
)

// story is series in memory, which the engine asks as it asks a Prometheus. Prometheus's own, promqltest, brings a whole server and the
// clouds that it finds its targets in.
type story []promql.Series

// tell reads series in Prometheus's notation, a sample a minute from 1970 on.
func tell(t *testing.T, text string) story {
	t.Helper()
	var told story
	for line := range strings.Lines(text) {
		metric, values, err := language.ParseSeriesDesc(strings.TrimSpace(line))
		require.NoError(t, err, line)
		series := promql.Series{Metric: metric}
		for minute, value := range values {
			if !value.Omitted {
				series.Floats = append(series.Floats, promql.FPoint{T: int64(minute) * time.Minute.Milliseconds(), F: value.Value})
			}
		}
		told = append(told, series)
	}
	return told
}

// Querier implements [storage.Queryable].
func (s story) Querier(int64, int64) (storage.Querier, error) {
	return &storage.MockQuerier{SelectMockFunction: func(_ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
		found := &selection{}
		for _, series := range s {
			if fits(series.Metric, matchers) {
				found.rest = append(found.rest, series)
			}
		}
		return found
	}}, nil
}

func fits(metric labels.Labels, matchers []*labels.Matcher) bool {
	for _, m := range matchers {
		if !m.Matches(metric.Get(m.Name)) {
			return false
		}
	}
	return true
}

// selection is a [storage.SeriesSet].
type selection struct {
	at   promql.Series
	rest []promql.Series
}

func (s *selection) Next() bool {
	if len(s.rest) == 0 {
		return false
	}
	s.at, s.rest = s.rest[0], s.rest[1:]
	return true
}

func (s *selection) At() storage.Series                { return promql.NewStorageSeries(s.at) }
func (s *selection) Err() error                        { return nil }
func (s *selection) Warnings() annotations.Annotations { return nil }

// at is what an expression gives at an instant of the story.
func (s story) at(t *testing.T, expr string, instant time.Duration) promql.Vector {
	t.Helper()
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 1e6, Timeout: 10 * time.Second, Parser: language})
	query, err := engine.NewInstantQuery(t.Context(), s, nil, expr, time.Unix(0, 0).Add(instant))
	require.NoError(t, err)
	defer query.Close()
	result := query.Exec(t.Context())
	require.NoError(t, result.Err)
	vector, err := result.Vector()
	require.NoError(t, err)
	return append(promql.Vector(nil), vector...) // the query takes its memory back
}
