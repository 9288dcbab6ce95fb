package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/lifecycle"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
)

// Definition is a service before it runs.
type Definition struct {
	Name   string // "users": in logs, spans, metrics and queue groups
	About  string // one sentence for --help
	Config Configuration
	// Build composes the service. It connects to nothing: that is for the components of the group it returns.
	Build func(ctx context.Context, src config.Source, tel *telemetry.Telemetry) (*lifecycle.Group, error)
}

// Configuration is what is known of a service's configuration without its type. ConfigOf makes one.
type Configuration struct {
	Variables []config.Variable
	check     func(config.Source) error
}

// ConfigOf describes the configuration of type T.
func ConfigOf[T any]() Configuration {
	return Configuration{
		Variables: config.Describe[T](),
		check:     func(src config.Source) error { _, err := config.Load[T](src); return err },
	}
}

// process is the configuration that the process needs, whatever the service.
type process struct {
	ShutdownTimeout time.Duration `env:"SHUTDOWN_TIMEOUT" envDefault:"20s" doc:"Time that each part of the service has to stop."`
	Telemetry       telemetry.Config
}

// Validate reports what no single field can say.
func (p process) Validate() error {
	if p.ShutdownTimeout <= 0 {
		return config.Problemf("SHUTDOWN_TIMEOUT", "must be more than zero.")
	}
	return nil
}

// Variables lists everything the service can be configured with: its own variables, then those of every process.
func (d Definition) Variables() []config.Variable {
	return append(slices.Clip(d.Config.Variables), config.Describe[process]()...)
}

// Check reports every problem of src, as an *config.Error, without starting anything.
func (d Definition) Check(src config.Source) error {
	_, err := d.load(src)
	return err
}

func (d Definition) load(src config.Source) (process, error) {
	p, err := config.Load[process](src)
	if d.Config.check == nil {
		return p, err
	}
	return p, merge(d.Config.check(src), err)
}

// merge makes one list of two.
func merge(errs ...error) error {
	var all config.Error
	for _, err := range errs {
		if one, ok := errors.AsType[*config.Error](err); ok {
			all.Problems = append(all.Problems, one.Problems...)
		} else if err != nil {
			return err
		}
	}
	if len(all.Problems) == 0 {
		return nil
	}
	return &all
}

// flushTimeout bounds how long the last spans and metrics may take to leave.
const flushTimeout = 5 * time.Second

// Run runs the service until ctx is done, or until it fails. Its error is an *config.Error when src is to blame.
func Run(ctx context.Context, d Definition, src config.Source, opts ...telemetry.Option) error {
	p, err := d.load(src)
	if err != nil {
		return fmt.Errorf("%s: %w", d.Name, err)
	}
	p.Telemetry.Service = d.Name
	tel, err := telemetry.New(ctx, p.Telemetry, opts...)
	if err != nil {
		return fmt.Errorf("%s: telemetry: %w", d.Name, err)
	}
	defer flush(ctx, tel)
	group, err := d.Build(ctx, src, tel)
	if err != nil {
		return fmt.Errorf("%s: build: %w", d.Name, err)
	}
	tel.Logger.InfoContext(ctx, "service starts", "version", tel.Version)
	if err := group.Run(ctx, p.ShutdownTimeout); err != nil {
		return fmt.Errorf("%s: %w", d.Name, err)
	}
	tel.Logger.InfoContext(ctx, "service stopped")
	return nil
}

func flush(ctx context.Context, tel *telemetry.Telemetry) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	if err := tel.Shutdown(ctx); err != nil {
		tel.Logger.WarnContext(ctx, "the last telemetry was not sent", "error", err)
	}
}
