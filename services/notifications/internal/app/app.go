// Package app is the composition root of notifications: every dependency in one place, and the order in which things start.
package app

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/pkg/jobs"
	"github.com/atrium-mesh/atrium/pkg/lifecycle"
	"github.com/atrium-mesh/atrium/pkg/mail"
	"github.com/atrium-mesh/atrium/pkg/mail/letter"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/page"
	"github.com/atrium-mesh/atrium/pkg/service"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/notifications/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/broadcasts"
	ownconfig "github.com/atrium-mesh/atrium/services/notifications/internal/config"
	"github.com/atrium-mesh/atrium/services/notifications/internal/consumers"
	"github.com/atrium-mesh/atrium/services/notifications/internal/deliveries"
	"github.com/atrium-mesh/atrium/services/notifications/internal/notifications"
	"github.com/atrium-mesh/atrium/services/notifications/internal/preferences"
	"github.com/atrium-mesh/atrium/services/notifications/internal/store"
	"github.com/atrium-mesh/atrium/services/notifications/internal/store/migrations"
	"github.com/atrium-mesh/atrium/services/notifications/internal/stream"
	"github.com/atrium-mesh/atrium/services/notifications/internal/tasks"
	"github.com/atrium-mesh/atrium/services/notifications/internal/templates"
	"github.com/atrium-mesh/atrium/services/notifications/internal/tickets"
	"github.com/atrium-mesh/atrium/services/notifications/internal/unsubscribe"
)

const name = "notifications"

// jobTimeout bounds an attempt to deliver, which has to outlast auth.SendLink, and a turn of a fan-out.
const jobTimeout = 60 * time.Second

// parts are what the service is made of.
type parts struct {
	store         *store.Store
	templates     *templates.Set
	sender        *mail.Sender
	hub           *stream.Hub
	stream        *stream.Handler
	unsubscribe   *unsubscribe.Handler
	notifications *notifications.Service
	broadcasts    *broadcasts.Service
	preferences   *preferences.Service
	deliveries    *deliveries.Service
	deliverer     *deliveries.Deliverer
	tickets       *tickets.Service
}

// Build composes the service.
func Build(ctx context.Context, src config.Source, tel *telemetry.Telemetry) (*lifecycle.Group, error) {
	cfg, err := config.Load[ownconfig.Config](src)
	if err != nil {
		return nil, err
	}
	base, err := service.NewBase(ctx, cfg.Config, service.Options{
		Name: name, Tel: tel, Database: &cfg.Database, Migrations: migrations.FS, Stream: "NOTIFICATIONS",
		Calls: &service.Calls{Identity: cfg.Identity, Targets: []string{"auth"}, Exchange: auth.ServiceTokens},
	})
	if err != nil {
		return nil, err
	}
	p, err := compose(cfg, base)
	if err != nil {
		return nil, err
	}
	runner, err := jobs.New(jobs.Config{
		Pool: base.Pool, Replica: base.Replica(), Workers: p.workers(cfg), Periodic: tasks.Periodic(), Timeout: jobTimeout,
		Queues: map[string]river.QueueConfig{
			tasks.QueueMail: {MaxWorkers: cfg.MailWorkers}, tasks.QueueSends: {MaxWorkers: 2}, tasks.QueueHouse: {MaxWorkers: 4},
		},
		Tracer: tel.Tracer, Meter: tel.Meter, Logger: tel.Logger,
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	p.operations(base.Ops) //nolint:contextcheck // operations have the contexts of their requests
	base.Group.Add("mail", p.sender)
	base.AddWithDatabase("jobs", runner)
	base.AddWithDatabase("consumer", events.NewConsumer(events.ConsumerConfig{
		Name: name, Pool: base.Pool, JS: base.JS, Tracer: tel.Tracer, Meter: tel.Meter, Logger: tel.Logger,
		Handlers: consumers.Handlers(consumers.Config{Store: p.store, Templates: p.templates, Clock: time.Now}),
	}))
	base.FollowWatermarks(auth.PollWatermarks(base.Caller))
	return base.Group, nil
}

func compose(cfg ownconfig.Config, base *service.Base) (*parts, error) {
	tel, brand := base.Tel, letter.Brand{Product: cfg.ProductName, URL: cmp.Or(cfg.ProductURL, cfg.Issuer)}
	words, err := templates.New(brand)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	layout, err := letter.NewLayout(brand)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	sender, err := mail.NewSender(cfg.Mail, tel.Tracer, time.Now)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	inserter, err := jobs.New(jobs.Config{Pool: base.Pool, Tracer: tel.Tracer, Logger: tel.Logger}) // works none: it only inserts
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	st := store.New(base.Pool, inserter)
	hub := stream.NewHub(base.NATS, tel.Logger)
	live, err := stream.NewHandler(stream.Config{Hub: hub, Table: st, Watermarks: base.Watermarks, Meter: tel.Meter, Clock: time.Now})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	passes, err := tickets.New(store.Transactor[tickets.Tx](st), tel.Meter)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	cursors := page.NewCursors(base.Key("notifications cursors"))
	links := preferences.NewLinks(base.Key("notifications unsubscribe"), cmp.Or(cfg.LinkBaseURL, cfg.Issuer))
	prefs := preferences.New(st, store.Transactor[preferences.Tx](st), links)
	ask, err := unsubscribe.New(links, prefs.Unsubscribe, brand)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	retry := deliveries.DefaultRetry()
	retry.First = cfg.MailRetry
	return &parts{
		store: st, templates: words, sender: sender, hub: hub, stream: live, unsubscribe: ask, preferences: prefs, tickets: passes,
		notifications: notifications.New(st, hub, cursors),
		broadcasts:    broadcasts.New(st, store.Transactor[broadcasts.Tx](st), hub, time.Now),
		deliveries:    deliveries.New(st, store.Transactor[deliveries.Tx](st), cursors),
		deliverer: deliveries.NewDeliverer(deliveries.DelivererConfig{
			InTx: store.Transactor[deliveries.Tx](st), Templates: words, Layout: layout, Send: sender.Send, Links: links,
			AnnounceLink: op.NATSClient(base.Caller, auth.AnnounceLink), SendLink: op.NATSClient(base.Caller, auth.SendLink),
			ProductURL: brand.URL, Retry: retry, Clock: time.Now, Meter: tel.Meter, Logger: tel.Logger,
		}),
	}, nil
}

func (p *parts) operations(s *op.Server) {
	op.Handle(s, api.ListNotifications, p.notifications.List)
	op.Handle(s, api.ListUserNotifications, p.notifications.ListOf)
	op.Handle(s, api.CountUnread, p.notifications.CountUnread)
	op.Handle(s, api.ReadNotification, p.notifications.Read)
	op.Handle(s, api.ReadAllNotifications, p.notifications.ReadAll)
	op.HandleRaw(s, api.StreamNotifications, p.stream.Serve)
	op.Handle(s, api.CreateStreamTicket, p.tickets.Create)
	op.Handle(s, api.RedeemStreamTicket, p.tickets.Redeem)

	op.Handle(s, api.SendNotification, p.broadcasts.Send)
	op.Handle(s, api.GetSend, p.broadcasts.Get)
	op.Handle(s, api.CancelSend, p.broadcasts.Cancel)

	op.Handle(s, api.GetPreferences, p.preferences.Get)
	op.Handle(s, api.PutPreferences, p.preferences.Put)
	op.HandleRaw(s, api.Unsubscribe, p.unsubscribe.Do)
	op.HandleRaw(s, api.UnsubscribePage, p.unsubscribe.Ask)

	op.Handle(s, api.ListDeliveries, p.deliveries.List)
	op.Handle(s, api.GetDelivery, p.deliveries.Get)
	op.Handle(s, api.ReplayDelivery, p.deliveries.Replay)
}

func (p *parts) workers(cfg ownconfig.Config) *river.Workers {
	all := river.NewWorkers()
	river.AddWorker(all, &tasks.Deliver{Attempt: p.deliverer.Deliver})
	river.AddWorker(all, &tasks.FanOut{Batch: p.broadcasts.FanOut})
	river.AddWorker(all, &tasks.Announce{To: p.hub.Announce})
	river.AddWorker(all, &tasks.PruneTickets{Prune: func(ctx context.Context) error { return p.tickets.Prune(ctx, p.store) }})
	river.AddWorker(all, &tasks.Purge{
		Notifications:    p.store.PurgeNotifications,
		Deliveries:       p.store.PurgeDeliveries,
		Sends:            p.store.PurgeSends,
		Unregistered:     p.store.PurgeUnregistered,
		IdempotencyKeys:  p.store.PurgeIdempotencyKeys,
		NotificationsFor: cfg.NotificationsFor,
		DeliveriesFor:    cfg.DeliveriesFor,
		Clock:            time.Now,
	})
	return all
}
