package telemetry

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/atrium-mesh/atrium/pkg/config"
)

// Config is what a service's telemetry is made from. The OTEL_* names and meanings are those of the
// OpenTelemetry specification: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
type Config struct {
	Service string `env:"-"` // the name in every log line, span and metric
	Version string `env:"-"` // of the program; ProgramVersion() when empty

	LogLevel  slog.Level `env:"LOG_LEVEL" envDefault:"info" doc:"Least severe level that is logged: debug, info, warn or error."`
	LogFormat string     `env:"LOG_FORMAT" envDefault:"json" doc:"How log lines look: json or text."`

	Endpoint           string `env:"OTEL_EXPORTER_OTLP_ENDPOINT" doc:"Base URL of an OTLP receiver. Empty: nothing is exported."`
	Protocol           string `env:"OTEL_EXPORTER_OTLP_PROTOCOL" envDefault:"http/protobuf" doc:"http/protobuf or grpc."`
	Headers            string `env:"OTEL_EXPORTER_OTLP_HEADERS" secret:"true" doc:"Headers for the receiver, as name=value,name=value."`
	ResourceAttributes string `env:"OTEL_RESOURCE_ATTRIBUTES" doc:"Attributes of every span and metric, as name=value,name=value."`
	Sampler            string `env:"OTEL_TRACES_SAMPLER" envDefault:"parentbased_always_on" doc:"Which traces are recorded: always_on, always_off, traceidratio, or one of them with parentbased_ in front."`
	SamplerArg         string `env:"OTEL_TRACES_SAMPLER_ARG" doc:"Share of traces that the traceidratio samplers record, from 0 to 1. Empty: 1."`
	MetricInterval     int    `env:"OTEL_METRIC_EXPORT_INTERVAL" envDefault:"60000" doc:"Milliseconds between two exports of metrics."`
}

// Validate reports every value that telemetry cannot be built from.
func (c Config) Validate() error {
	var errs []error
	oneOf := func(variable, value string, allowed ...string) {
		if value != "" && !slices.Contains(allowed, value) {
			errs = append(errs, config.Problemf(variable, "must be one of %s.", strings.Join(allowed, ", ")))
		}
	}
	must := func(variable, what string, err error) {
		if err != nil {
			errs = append(errs, config.Problemf(variable, "must be %s.", what))
		}
	}
	oneOf("LOG_FORMAT", c.LogFormat, "json", "text")
	oneOf("OTEL_EXPORTER_OTLP_PROTOCOL", c.Protocol, protocolHTTP, protocolGRPC)
	oneOf("OTEL_TRACES_SAMPLER", c.Sampler, "always_on", "always_off", "traceidratio",
		"parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio")
	_, err := c.ratio()
	must("OTEL_TRACES_SAMPLER_ARG", "a number from 0 to 1", err)
	_, err = config.BaseOf(cmp.Or(c.Endpoint, "http://none"))
	must("OTEL_EXPORTER_OTLP_ENDPOINT", "an http or https URL without a query, a fragment or a user (OTEL_EXPORTER_OTLP_HEADERS can say who it is)", err)
	_, err = pairs(c.Headers)
	must("OTEL_EXPORTER_OTLP_HEADERS", "name=value pairs separated by commas", err)
	_, err = pairs(c.ResourceAttributes)
	must("OTEL_RESOURCE_ATTRIBUTES", "name=value pairs separated by commas", err)
	if c.MetricInterval < 0 {
		errs = append(errs, config.Problemf("OTEL_METRIC_EXPORT_INTERVAL", "must not be negative."))
	}
	return errors.Join(errs...)
}

func (c Config) ratio() (float64, error) {
	if c.SamplerArg == "" {
		return 1, nil
	}
	ratio, err := strconv.ParseFloat(c.SamplerArg, 64)
	if err != nil {
		return 0, fmt.Errorf("not a number: %w", err)
	}
	if !(ratio >= 0 && ratio <= 1) { // also false for NaN
		return 0, errors.New("not from 0 to 1")
	}
	return ratio, nil
}

// pairs reads name=value,name=value, with values percent-encoded as in W3C Baggage.
func pairs(list string) (map[string]string, error) {
	values := make(map[string]string)
	for part := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, errors.New("not a name=value pair")
		}
		decoded, err := url.PathUnescape(strings.TrimSpace(value))
		if err != nil {
			return nil, errors.New("not percent-encoded")
		}
		values[name] = decoded
	}
	return values, nil
}
