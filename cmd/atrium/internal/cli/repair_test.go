package cli_test

import (
	"encoding/json"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/cli"
	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
)

const letterID = "0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"

// failed is a service's database with a published event and a dead letter.
func failed(t *testing.T) config.Source {
	t.Helper()
	url := pgtest.NewURL(t, fstest.MapFS{})
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(t.Context())) }()
	_, err = conn.Exec(t.Context(), `
INSERT INTO outbox (id, type, source, subject, org_id, actor, time, data, published_at)
VALUES (gen_random_uuid(), 'users.user.updated.v1', 'users', 's', 'default', '', now(), '{}', now())`)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), `
INSERT INTO dead_letters (id, consumer, stream, event_id, type, source, subject, org_id, actor, time, data, kind, code, error, attempts)
VALUES ($1, 'users', 'AUTH', gen_random_uuid(), 'auth.account.registered.v1', 'auth', 'account-7', 'default', '', now(), '\x', 'malformed', 'no_json', 'why', 3)`, letterID)
	require.NoError(t, err)
	return config.Source{"DATABASE_URL": url}
}

func TestEventsReplay(t *testing.T) {
	t.Parallel()
	environment := failed(t)
	code, out, errs := run(t, environment, "events", "replay", "--since", "1h")
	require.Equal(t, cli.ExitOK, code, errs)
	require.Contains(t, out, "1 event since")
	_, out, _ = run(t, environment, "events", "replay", "--since", "1h")
	require.Contains(t, out, "0 events since", "what is still to be sent is not counted again")
}

func TestDeadLetters(t *testing.T) {
	t.Parallel()
	environment := failed(t)
	code, out, errs := run(t, environment, "dead-letters", "list")
	require.Equal(t, cli.ExitOK, code, errs)
	require.Regexp(t, letterID+` +\S+ +auth\.account\.registered\.v1 +account-7 +3 +waiting +malformed no_json`, out)

	_, out, _ = run(t, environment, "dead-letters", "replay", letterID)
	require.Equal(t, "1 dead letter will be handled again.\n", out)
	_, out, _ = run(t, environment, "dead-letters", "list", "--json")
	var list struct {
		Items []map[string]any `json:"items"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &list))
	require.NotEmpty(t, list.Items[0]["replay_requested_at"])
	_, out, _ = run(t, environment, "dead-letters", "list", "--type", "users.user.updated.v1")
	require.Equal(t, "There are no dead letters.\n", out)
}

func TestADatabaseThatIsAway(t *testing.T) {
	t.Parallel()
	code, _, errs := run(t, nil, "dead-letters", "list", "--service", "users", "--database-url", "")
	require.Equal(t, cli.ExitUsage, code, "no other database answers for it")
	require.Contains(t, errs, "--database-url is empty")

	code, _, errs = run(t, nil, "dead-letters", "list", "--database-url", "postgres://nobody:hunter2hunter2@127.0.0.1:1/nothing?connect_timeout=2")
	require.Equal(t, cli.ExitFailure, code)
	require.Contains(t, errs, "connect to the database")
	require.NotContains(t, errs, "hunter2")
}
