package local

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/pglocal"
)

// databases are the services that own one.
func databases() []string { return []string{"auth", "users", "notifications"} }

// DatabaseName is the name of a service's database and of the role that owns it, as in a cluster.
func DatabaseName(service string) string { return "atrium_" + service }

// startPostgres starts the server of a folder and returns it with the DATABASE_URL of each service.
func startPostgres(ctx context.Context, folder *Folder, options pglocal.Options) (_ *pglocal.Server, _ map[string]string, err error) {
	options.Dir = filepath.Join(folder.Path, "postgres")
	s, err := pglocal.Start(ctx, options)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
		}
	}()
	urls, err := provision(ctx, folder, s)
	if err != nil {
		return nil, nil, fmt.Errorf("make the databases: %w", err)
	}
	return s, urls, nil
}

// provision makes each service's role and database where they are missing. Nobody else may connect to a database.
func provision(ctx context.Context, folder *Folder, s *pglocal.Server) (map[string]string, error) {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	urls := map[string]string{}
	for _, service := range databases() {
		password, err := folder.Secret("database_" + service)
		if err != nil {
			return nil, err
		}
		name := DatabaseName(service)
		if err := provisionOne(ctx, conn, name, password); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		urls[service] = s.URLFor(name, password, name)
	}
	return urls, nil
}

func provisionOne(ctx context.Context, conn *pgx.Conn, name, password string) error {
	var role, database bool
	err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1), EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).
		Scan(&role, &database)
	if err != nil {
		return err
	}
	quoted := pgx.Identifier{name}.Sanitize()
	var statements []string
	if !role { // the password is of the base64 URL alphabet: it cannot end the literal
		statements = append(statements, "CREATE ROLE "+quoted+" LOGIN PASSWORD '"+password+"'")
	}
	if !database {
		statements = append(statements, "CREATE DATABASE "+quoted+" OWNER "+quoted+" ENCODING 'UTF8' TEMPLATE template0")
	}
	statements = append(statements, "REVOKE CONNECT ON DATABASE "+quoted+" FROM PUBLIC")
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}
