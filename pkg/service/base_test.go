package service_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/pkg/lifecycle"
	"github.com/atrium-mesh/atrium/pkg/natstest"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
	"github.com/atrium-mesh/atrium/pkg/request"
	"github.com/atrium-mesh/atrium/pkg/service"
	"github.com/atrium-mesh/atrium/pkg/service/servicetest"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
	"github.com/atrium-mesh/atrium/pkg/token/tokentest"
)

var migrations = fstest.MapFS{"0001_visits.sql": {Data: []byte(
	"-- +goose Up\nCREATE TABLE visits (id bigint GENERATED ALWAYS AS IDENTITY, guest text NOT NULL);\n")}}

type visitsConfig struct {
	service.Config
	Database pg.Config
}

type visitInput struct {
	Guest string `path:"guest" doc:"Who comes." example:"ada"`
}

type visitOutput struct {
	Body struct {
		Visits int `json:"visits" doc:"How many there have been." example:"1"`
	}
}

type came struct {
	Guest string `json:"guest"`
}

var (
	visit = op.Op[visitInput, visitOutput]{
		Operation: huma.Operation{OperationID: "visit", Method: http.MethodPost, Path: "/api/v1/visits/{guest}", Summary: "Visit", DefaultStatus: http.StatusOK},
		Subject:   "rpc.visits.visit",
		Allow:     authz.Authenticated(),
	}
	guestCame = events.Define[came]("visits.guest.came.v1")
)

// visits is a whole service: it counts visits in its table and tells others of each by an event.
func visits() service.Definition {
	return service.Definition{
		Name: "visits", About: "counts visits.", Config: service.ConfigOf[visitsConfig](),
		Build: func(ctx context.Context, src config.Source, tel *telemetry.Telemetry) (*lifecycle.Group, error) {
			cfg, err := config.Load[visitsConfig](src)
			if err != nil {
				return nil, err
			}
			base, err := service.NewBase(ctx, cfg.Config, service.Options{
				Name: "visits", Tel: tel, Database: &cfg.Database, Migrations: migrations, Stream: "VISITS",
			})
			if err != nil {
				return nil, err
			}
			op.Handle(base.Ops, visit, func(ctx context.Context, in *visitInput) (*visitOutput, error) {
				out := new(visitOutput)
				return out, pg.InTx(ctx, base.Pool, func(tx pgx.Tx) error {
					if _, err := tx.Exec(ctx, "INSERT INTO visits (guest) VALUES ($1)", in.Guest); err != nil {
						return pg.Err(err)
					}
					if err := tx.QueryRow(ctx, "SELECT count(*) FROM visits WHERE guest = $1", in.Guest).Scan(&out.Body.Visits); err != nil {
						return pg.Err(err)
					}
					return events.Publish(ctx, tx, guestCame, in.Guest, came(*in))
				})
			})
			return base.Group, nil
		},
	}
}

// post visits over HTTP as a signed-in person.
func post(t *testing.T, s *servicetest.Service) (status int, header http.Header, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/api/v1/visits/ada", http.NoBody)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+s.Issuer.SignUser("ada"))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, res.Header, string(text)
}

func TestBase(t *testing.T) {
	t.Parallel()
	s := servicetest.Start(t, visits(), servicetest.Options{Migrations: migrations})
	heard, err := s.NATS.SubscribeSync("events.visits.guest.came.v1")
	require.NoError(t, err)
	require.NoError(t, s.NATS.Flush())

	status, _, body := post(t, s)
	require.Equal(t, http.StatusOK, status, body)
	require.JSONEq(t, `{"visits": 1}`, body)

	call := op.NATSClient(op.NewNATSCaller(s.NATS, s.Recorder.Telemetry("test").Tracer, telemetry.Nop().Propagator, nil), visit)
	out, err := call(request.WithToken(t.Context(), s.Issuer.SignUser("ada")), &visitInput{Guest: "ada"})
	require.NoError(t, err)
	require.Equal(t, 2, out.Body.Visits)
	_, err = call(t.Context(), &visitInput{Guest: "ada"})
	require.ErrorIs(t, err, errs.Unauthenticated)

	for range 2 {
		msg, err := heard.NextMsg(waitFor)
		require.NoError(t, err)
		require.JSONEq(t, `{"guest": "ada"}`, string(msg.Data))
	}
	s.Stop(t)
	_, err = call(request.WithToken(t.Context(), s.Issuer.SignUser("ada")), &visitInput{Guest: "ada"})
	require.ErrorIs(t, err, errs.Unavailable)
}

func TestBaseRecovers(t *testing.T) {
	t.Parallel()
	database, broker := pgtest.StartServer(t), natstest.StartServer(t)
	url := database.URL("visits")
	database.Stop()
	broker.Stop()
	s := servicetest.Start(t, visits(), servicetest.Options{DatabaseURL: url, NATS: broker, Unready: []string{"*"}})

	t.Log("both away at start: the process is up, not ready, and says so")
	for _, check := range []string{"postgres", "migrations", "relay", "nats"} {
		s.WaitUnready(t, check)
	}
	status, header, body := post(t, s)
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.NotEmpty(t, header.Get("Retry-After"))
	require.Contains(t, body, `"code":"starting"`)

	database.Start()
	broker.Start()
	s.WaitReady(t)
	status, _, body = post(t, s)
	require.Equal(t, http.StatusOK, status, body)

	t.Log("the database goes away and comes back")
	database.Stop()
	s.WaitUnready(t, "postgres")
	status, header, body = post(t, s)
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.NotEmpty(t, header.Get("Retry-After"))
	require.NotContains(t, strings.ToLower(body), "sqlstate")
	require.NotContains(t, body, "dial")
	database.Start()
	s.WaitReady(t)
	status, _, body = post(t, s)
	require.Equal(t, http.StatusOK, status, body)
	require.JSONEq(t, `{"visits": 2}`, body)

	t.Log("NATS goes away and comes back; what was committed meanwhile is published")
	broker.Stop()
	s.WaitUnready(t, "nats")
	status, _, body = post(t, s)
	require.Equal(t, http.StatusOK, status, body)
	broker.Start()
	s.WaitReady(t)
	stream, err := jetstreamOf(t, s).Stream(t.Context(), "VISITS")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		info, err := stream.Info(t.Context())
		return err == nil && info.State.Msgs == 3
	}, waitFor, tick)
	s.Stop(t)
}

func TestBaseStopsWhileEverythingIsAway(t *testing.T) {
	t.Parallel()
	broker := natstest.StartServer(t)
	broker.Stop()
	s := servicetest.Start(t, visits(), servicetest.Options{
		DatabaseURL: "postgres://nobody@127.0.0.1:1/nothing", NATS: broker, Unready: []string{"*"},
	})
	s.WaitUnready(t, "postgres")
	s.Stop(t)
}

type doorConfig struct{ service.Config }

func TestBaseWithoutDatabase(t *testing.T) {
	t.Parallel()
	definition := service.Definition{
		Name: "door", Config: service.ConfigOf[doorConfig](),
		Build: func(ctx context.Context, src config.Source, tel *telemetry.Telemetry) (*lifecycle.Group, error) {
			cfg, err := config.Load[doorConfig](src)
			if err != nil {
				return nil, err
			}
			base, err := service.NewBase(ctx, cfg.Config, service.Options{Name: "door", Tel: tel})
			if err != nil {
				return nil, err
			}
			require.Nil(t, base.Pool)
			require.Len(t, base.Key("door"), 32)
			base.WrapHTTP(func(http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
			})
			return base.Group, nil
		},
	}
	s := servicetest.Start(t, definition, servicetest.Options{Issuer: tokentest.NewIssuer(t)})
	require.Empty(t, s.DatabaseURL)
	status, _, _ := post(t, s)
	require.Equal(t, http.StatusTeapot, status)
	report, err := s.Ready(t.Context())
	require.NoError(t, err)
	require.Len(t, report.Checks, 1)
	s.Stop(t)
}

const (
	waitFor = 20 * time.Second
	tick    = 10 * time.Millisecond
)

func jetstreamOf(t *testing.T, s *servicetest.Service) jetstream.JetStream {
	t.Helper()
	js, err := jetstream.New(s.NATS)
	require.NoError(t, err)
	return js
}
