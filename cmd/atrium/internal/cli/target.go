package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/local"
)

// target is which service's database a command works on.
type target struct {
	service  string
	data     string
	database string
	fallback string
	empty    func() bool // whether the flag of the database was given, and empty
}

func (t *target) flags(c *cobra.Command, s Streams) {
	c.Flags().StringVar(&t.service, "service", "", "whose database: auth, users or notifications")
	c.Flags().StringVar(&t.data, "data", dataDefault, "data folder of local mode, used when no database is given")
	c.Flags().StringVar(&t.database, "database-url", "", "database of the service ($DATABASE_URL)")
	t.empty = func() bool { return c.Flags().Changed("database-url") && t.database == "" }
	t.fallback = s.Environment["DATABASE_URL"] // not the flag's default: help would print its password
}

// databaseHelp is the part of the help that the commands which repair share.
const databaseHelp = "It works on the database given by --database-url or $DATABASE_URL, else on the data folder of local mode: through the running\n" +
	"`atrium up`, or, when none runs, by starting that folder's PostgreSQL for as long as it takes."

// open connects to the database. The function returned closes what was opened.
func (t *target) open(ctx context.Context) (*pgx.Conn, func(context.Context) error, error) {
	if t.empty() { // as "$DATABASE_URL" is where that is not set: another database than the one that is meant would say that all is well
		return nil, nil, usagef("--database-url is empty")
	}
	url, done := cmp.Or(t.database, t.fallback), func(context.Context) error { return nil }
	if url == "" {
		services := local.Services()
		if !slices.Contains(services, t.service) {
			return nil, nil, usagef("--service must be one of %s (or give --database-url)", strings.Join(services, ", "))
		}
		var err error
		if url, done, err = local.Database(ctx, t.data, t.service); err != nil {
			return nil, nil, err
		}
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("connect to the database: %w", err), done(ctx))
	}
	return conn, func(ctx context.Context) error { return errors.Join(conn.Close(ctx), done(ctx)) }, nil
}

// with runs fn on the database.
func (t *target) with(ctx context.Context, fn func(*pgx.Conn) error) error {
	conn, done, err := t.open(ctx)
	if err != nil {
		return err
	}
	return errors.Join(fn(conn), done(context.WithoutCancel(ctx)))
}
