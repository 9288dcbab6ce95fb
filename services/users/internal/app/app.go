// Package app is the composition root of users: every dependency in one place, and the order in which things start.
package app

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/pkg/jobs"
	"github.com/atrium-mesh/atrium/pkg/lifecycle"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/page"
	"github.com/atrium-mesh/atrium/pkg/service"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/users/api"
	usersconfig "github.com/atrium-mesh/atrium/services/users/internal/config"
	"github.com/atrium-mesh/atrium/services/users/internal/consumers"
	"github.com/atrium-mesh/atrium/services/users/internal/store"
	"github.com/atrium-mesh/atrium/services/users/internal/store/migrations"
	"github.com/atrium-mesh/atrium/services/users/internal/tasks"
	"github.com/atrium-mesh/atrium/services/users/internal/users"
)

// Build composes the service.
func Build(ctx context.Context, src config.Source, tel *telemetry.Telemetry) (*lifecycle.Group, error) {
	cfg, err := config.Load[usersconfig.Config](src)
	if err != nil {
		return nil, err
	}
	base, err := service.NewBase(ctx, cfg.Config, service.Options{
		Name: "users", Tel: tel, Database: &cfg.Database, Migrations: migrations.FS, Stream: "USERS",
		Calls: &service.Calls{Identity: cfg.Identity, Targets: []string{"auth"}, Exchange: auth.ServiceTokens},
	})
	if err != nil {
		return nil, err
	}
	records := store.New(base.Pool)
	domain := users.New(users.Config{
		Store: records,
		Accounts: users.Accounts{
			Create:     op.NATSClient(base.Caller, auth.CreateAccount),
			Get:        op.NATSClient(base.Caller, auth.GetAccount),
			Deactivate: op.NATSClient(base.Caller, auth.DeactivateAccount),
			Activate:   op.NATSClient(base.Caller, auth.ActivateAccount),
			Delete:     op.NATSClient(base.Caller, auth.DeleteAccount),
			Restore:    op.NATSClient(base.Caller, auth.RestoreAccount),
			Erase:      op.NATSClient(base.Caller, auth.EraseAccount),
			MayEdit:    op.NATSClient(base.Caller, auth.MayEditAccount),
		},
		Cursors: page.NewCursors(base.Key("users cursors")),
		Clock:   time.Now,
		Grace:   cfg.ErasureGrace,
	})
	operations(base.Ops, domain) //nolint:contextcheck // requests have contexts of their own

	cleaner, err := jobs.NewCleaner(jobs.CleanerConfig{
		Service: "users",
		Kinds:   records.Expiring(cfg.AuditRetention),
		DB:      base.Pool,
		Logger:  tel.Logger,
		Meter:   tel.Meter,
	})
	if err != nil {
		return nil, fmt.Errorf("users: %w", err)
	}
	runner, err := jobs.New(jobs.Config{
		Pool:     base.Pool,
		Replica:  base.Replica(),
		Workers:  workers(domain, cleaner),
		Periodic: tasks.Periodic(),
		Queues:   map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 4}},
		Tracer:   tel.Tracer,
		Meter:    tel.Meter,
		Logger:   tel.Logger,
	})
	if err != nil {
		return nil, fmt.Errorf("users: %w", err)
	}
	base.AddWithDatabase("jobs", runner)
	base.AddWithDatabase("consumer", events.NewConsumer(events.ConsumerConfig{
		Name: "users", Pool: base.Pool, JS: base.JS, Handlers: consumers.Handlers(time.Now, cfg.ErasureGrace),
		Tracer: tel.Tracer, Meter: tel.Meter, Logger: tel.Logger,
	}))
	base.FollowWatermarks(auth.PollWatermarks(base.Caller))
	return base.Group, nil
}

func operations(s *op.Server, u *users.Service) {
	op.Handle(s, api.GetMe, u.GetMe)
	op.Handle(s, api.UpdateMe, u.UpdateMe)
	op.Handle(s, api.ListUsers, u.List)
	op.Handle(s, api.CreateUser, u.Create)
	op.Handle(s, api.GetUser, u.Get)
	op.Handle(s, api.ReplaceUser, u.Replace)
	op.Handle(s, api.UpdateUser, u.Update)
	op.Handle(s, api.DeleteUser, u.Delete)
	op.Handle(s, api.ActivateUser, u.Activate)
	op.Handle(s, api.DeactivateUser, u.Deactivate)
	op.Handle(s, api.RestoreUser, u.Restore)
}

func workers(u *users.Service, cleaner *jobs.Cleaner) *river.Workers {
	all := river.NewWorkers()
	river.AddWorker(all, &tasks.Erase{Users: u})
	river.AddWorker(all, &tasks.Cleanup{Cleaner: cleaner})
	return all
}
