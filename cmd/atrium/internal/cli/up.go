package cli

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/demo"
	"github.com/atrium-mesh/atrium/cmd/atrium/internal/local"
)

const (
	listenDefault = "localhost:8080"
	dataDefault   = ".atrium"
	demoAdmin     = "admin@example.com"
	stopWithin    = time.Minute
)

type upFlags struct {
	listen, data              string
	ephemeral, demo           bool
	adminEmail, adminPassword string
	logLevel                  string
	postgresPort              int
	allowHosts                []string
}

func newUp(s Streams) *cobra.Command {
	var f upFlags
	c := &cobra.Command{
		Use: "up", Short: "Run the whole mesh on this machine", Args: noArgs,
		Long: "Runs every service in one process, with the same code and the same configuration as in a cluster: the gateway, auth, users and\n" +
			"notifications, on an embedded NATS and a PostgreSQL of its own (found, installed or downloaded). Mail is caught, not delivered.\n\n" +
			"  /docs, /redoc   the API reference\n" +
			"  /dev/inbox      the mail, as a page and as an API that can wait for a message\n" +
			"  /dev/traces     what happened, from the gateway to the SMTP server\n\n" +
			"Everything is kept in one folder and is there again at the next start. Ctrl-C stops all of it.\n" +
			"Variables that services know, such as RATE_LIMIT_API=off or OTEL_EXPORTER_OTLP_ENDPOINT, are passed on to them.",
		Example: "  atrium up\n  atrium up --demo --ephemeral\n  atrium up --listen localhost:9090 --admin-email me@example.com --admin-password 'seven green bicycles'",
		RunE:    func(c *cobra.Command, _ []string) error { return up(c.Context(), s, f, c.Flags().Changed("data")) },
	}
	flags := c.Flags()
	flags.StringVar(&f.listen, "listen", listenDefault, "host:port of the gateway; port 0 picks a free one")
	flags.StringVar(&f.data, "data", dataDefault, "folder that keeps everything")
	flags.BoolVar(&f.ephemeral, "ephemeral", false, "keep nothing: a new folder, removed at the end")
	flags.BoolVar(&f.demo, "demo", false, "add people, notifications and an administrator to look at (raises the rate limits for it)")
	flags.StringVar(&f.adminEmail, "admin-email", s.Environment["ATRIUM_ADMIN_EMAIL"], "make this administrator at the start ($ATRIUM_ADMIN_EMAIL)")
	flags.StringVar(&f.adminPassword, "admin-password", "", "password of that administrator, at least 12 characters ($ATRIUM_ADMIN_PASSWORD); left out: one is generated, kept and printed")
	flags.StringVar(&f.logLevel, "log-level", "info", "least level in the log file: debug, info, warn or error; debug shows everything here, too")
	flags.IntVar(&f.postgresPort, "postgres-port", 0, "also let PostgreSQL listen on this port of 127.0.0.1, to look into it; 0: a private socket only")
	flags.StringSliceVar(&f.allowHosts, "allow-host", nil, allowHostUsage)
	return c
}

// allowHostUsage is the same for every command that serves /dev.
const allowHostUsage = "also serve /dev under this host name; can be given more than once (an address, localhost and *.localhost always work)"

func up(ctx context.Context, s Streams, f upFlags, dataGiven bool) error {
	if f.ephemeral && dataGiven {
		return usagef("--ephemeral keeps nothing, and --data says where to keep it: give one of them")
	}
	cfg, err := f.config(s)
	if err != nil {
		return err
	}
	p := painter{colourful(s.Out, s.Environment)}
	where := "in " + f.data
	if f.ephemeral {
		where = "and keeps nothing"
	}
	fmt.Fprintf(s.Out, "%s\n", p.dim("Atrium starts "+where+" …"))
	if f.demo {
		forDemo(&cfg)
	}
	mesh, err := local.Start(ctx, cfg)
	if err != nil {
		return err
	}
	summary := summary{mesh: mesh, painter: p, admin: cfg.AdminEmail}
	if f.demo {
		fmt.Fprintf(s.Out, "%s\n", p.dim("Atrium runs; adding the demo …"))
		summary.demo, summary.demoPassword, summary.demoErr = fill(ctx, mesh, cfg)
	}
	fmt.Fprint(s.Out, summary.String())
	err = wait(ctx, mesh)
	fmt.Fprintf(s.Out, "%s\n", p.dim("Atrium stops …"))
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	if stopErr := mesh.Stop(stopping); err == nil {
		err = stopErr
	}
	return err
}

// wait returns nil when the person has had enough, and the reason when the mesh ends by itself.
func wait(ctx context.Context, mesh *local.Mesh) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-mesh.Failed():
		return err
	}
}

// config turns the flags into what to start.
func (f *upFlags) config(s Streams) (local.Config, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return local.Config{}, usagef("--log-level %s: must be debug, info, warn or error", f.logLevel)
	}
	if f.adminPassword == "" {
		f.adminPassword = s.Environment["ATRIUM_ADMIN_PASSWORD"] // not the flag's default: help would print it
	}
	if f.adminEmail == "" && f.adminPassword != "" {
		return local.Config{}, usagef("--admin-password is whose? Give --admin-email as well")
	}
	if f.postgresPort < 0 || f.postgresPort > 65535 {
		return local.Config{}, usagef("--postgres-port must be from 0 to 65535")
	}
	return local.Config{
		Listen: f.listen, Data: f.data, Ephemeral: f.ephemeral, AdminEmail: f.adminEmail, AdminPassword: f.adminPassword,
		LogLevel: level, PostgresPort: f.postgresPort, AllowHosts: f.allowHosts, Environment: s.Environment, Terminal: s.Err,
	}, nil
}

// forDemo decides who the demo's administrator is, and makes room for many people at once.
func forDemo(cfg *local.Config) {
	cfg.Environment = cfg.Environment.With(nil)
	for name, rate := range map[string]string{"RATE_LIMIT_SIGN_UP": "600/1m", "RATE_LIMIT_API": "3000/1m"} {
		if cfg.Environment[name] == "" {
			cfg.Environment[name] = rate
		}
	}
	if cfg.AdminEmail == "" {
		cfg.AdminEmail = demoAdmin
	}
}

// fill adds the demo to a mesh and returns the password of its people.
func fill(ctx context.Context, mesh *local.Mesh, cfg local.Config) (demo.Result, string, error) {
	password, err := mesh.Folder.Password("demo_people")
	if err != nil {
		return demo.Result{}, "", err
	}
	result, err := demo.Fill(ctx, demo.Config{
		Origin: mesh.Origin, AdminEmail: cfg.AdminEmail, AdminPassword: cmp.Or(cfg.AdminPassword, mesh.AdminPassword), Password: password,
		Marker: filepath.Join(mesh.Folder.Path, "demo"), Now: time.Now,
	})
	return result, password, err
}
