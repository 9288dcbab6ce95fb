package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/atrium-mesh/atrium/pkg/pglocal"
)

// Services are those that have a database.
func Services() []string { return databases() }

// Database returns the DATABASE_URL of a service on a data folder: the running mesh's, or that of a PostgreSQL that is
// started for it and ends with the function returned.
func Database(ctx context.Context, data, service string) (string, func(context.Context) error, error) {
	if _, err := os.Stat(filepath.Join(data, "postgres")); errors.Is(err, fs.ErrNotExist) {
		return "", nil, fmt.Errorf("there is no data folder %s: run `atrium up` first, choose another with --data, or give --database-url", data)
	}
	folder, err := OpenFolder(data)
	if inUse, ok := errors.AsType[*InUseError](err); ok {
		running, err := ReadRunning(inUse.Path)
		if err != nil {
			return "", nil, fmt.Errorf("%w (%w)", inUse, err)
		}
		return running.Databases[service], func(context.Context) error { return nil }, nil
	}
	if err != nil {
		return "", nil, err
	}
	server, urls, err := startPostgres(ctx, folder, pglocal.Options{})
	if err != nil {
		return "", nil, errors.Join(fmt.Errorf("start PostgreSQL: %w", err), folder.Close())
	}
	return urls[service], func(ctx context.Context) error { return errors.Join(server.Stop(ctx), folder.Close()) }, nil
}
