package bench

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/test/e2e/client"
	"github.com/atrium-mesh/atrium/test/e2e/mesh"
)

const million = 1_000_000

// BenchmarkMesh is everything, on one mesh. Each row runs once, whatever -benchtime says.
func BenchmarkMesh(b *testing.B) {
	m := mesh.Processes(b, mesh.Options{
		Durable: true, Env: map[string]string{"LOG_LEVEL": "warn"},
		EnvOf: map[string]string{"auth.ARGON2_MEMORY_KIB": "", "auth.ARGON2_ITERATIONS": ""}, // the defaults
	})
	out := &report{}
	b.Cleanup(func() { out.write(b) })
	atRest(b, m, out)

	door := client.New(b, client.Door{Gateway: m.Origin, Inbox: m.Inbox})
	admin := door.Device("bench/admin")
	admin.Login(client.Person{Email: mesh.AdminEmail, Password: mesh.AdminPassword})
	person, device := door.SignUp("bench")
	users := m.Process("users").URL

	add := func(name string, do func(client, turn int) error) {
		b.Run(strings.ReplaceAll(name, " ", "_"), func(b *testing.B) { out.loads = append(out.loads, load(b, name, do)) })
	}
	own := "/api/v1/users/" + person.ID
	add("read a user, straight to the service", func(int, int) error { return get(users+own, device.Access) })
	add("read a user, through the gateway", func(int, int) error { return get(m.Origin+own, device.Access) })
	add("refuse a forged token, at the gateway", func(int, int) error {
		err := get(m.Origin+own, device.Access[:len(device.Access)-6]+"AAAAAA")
		if err == nil || !strings.Contains(err.Error(), "401") {
			return fmt.Errorf("not refused: %w", err)
		}
		return nil
	})
	people, refreshers := make([]client.Person, clients), make([]*client.Client, clients)
	for i := range people { // attempts for one account at a time are few: each client is somebody else
		people[i], refreshers[i] = door.SignUp("bench" + strconv.Itoa(i))
	}
	add("sign in", func(c, _ int) error { return signIn(door, people[c]) })
	add("refresh", func(c, _ int) error { return refresh(refreshers[c]) })

	fill(b, m, out)
	list := "/api/v1/users?page_size=20"
	add("list 20 of 1,000,000 users, first page with its count", func(int, int) error { return get(m.Origin+list, admin.Access) })
	cursor := nextCursor(b, admin, list)
	add("list 20 of 1,000,000 users, by cursor", func(int, int) error { return get(m.Origin+list+"&cursor="+cursor, admin.Access) })
	deep := nextCursor(b, admin, list+"&sort=email&created_after=2026-01-01T00:00:00Z")
	add("list 20 of 1,000,000 users by e-mail, by cursor", func(int, int) error {
		return get(m.Origin+list+"&sort=email&created_after=2026-01-01T00:00:00Z&cursor="+deep, admin.Access)
	})
	add("search 1,000,000 users for a name", func(_, turn int) error {
		return get(m.Origin+list+"&q=person%20"+strconv.Itoa(100_000+turn*7919%900_000), admin.Access)
	})
	deliveries(b, m, admin, out)
	upAtRest(b, out)
}

func signIn(door *client.Client, p client.Person) error {
	a, err := door.Try(context.Background(), client.Request{
		Method: http.MethodPost, Path: "/api/v1/auth/login", Body: map[string]string{"email": p.Email, "password": p.Password},
	})
	if err == nil && a.Status != http.StatusOK {
		err = fmt.Errorf("sign in: %d", a.Status)
	}
	return err
}

func refresh(c *client.Client) error {
	a, err := c.Try(context.Background(), client.Request{
		Method: http.MethodPost, Path: "/api/v1/auth/refresh", Body: map[string]string{"refresh_token": c.Refresh},
	})
	if err != nil {
		return err
	}
	if a.Status != http.StatusOK {
		return fmt.Errorf("refresh: %d", a.Status)
	}
	tokens := client.Decode[struct {
		RefreshToken string `json:"refresh_token"`
	}](a)
	c.Refresh = tokens.RefreshToken
	return nil
}

func nextCursor(b *testing.B, admin *client.Client, path string) string {
	b.Helper()
	page := client.Decode[struct {
		Next string `json:"next_cursor"`
	}](admin.Get(path).Want(http.StatusOK))
	require.NotEmpty(b, page.Next)
	return page.Next
}

// fill makes a million users in the database of the service.
func fill(b *testing.B, m *mesh.Mesh, out *report) {
	b.Helper()
	conn := m.Postgres.Connect("users")
	begin := time.Now()
	for _, sql := range []string{
		`INSERT INTO users (id, email, full_name, status, roles, created_at)
		 SELECT gen_random_uuid(), 'person' || i || '@bench.example', 'Person ' || i, 'active', ARRAY['user'], '2026-01-01'::timestamptz + i * interval '1 second'
		 FROM generate_series(1, ` + strconv.Itoa(million) + `) i`,
		"VACUUM ANALYZE users",
	} {
		_, err := conn.Exec(b.Context(), sql)
		require.NoError(b, err)
	}
	out.single = append(out.single, fact{"make 1,000,000 users in the database, with all indexes", ms(time.Since(begin))})
}

// deliveries sends one notification to many people and waits until the last mail is delivered.
func deliveries(b *testing.B, m *mesh.Mesh, admin *client.Client, out *report) {
	b.Helper()
	const people = 2000
	conn, ctx := m.Postgres.Connect("notifications"), b.Context()
	_, err := conn.Exec(ctx, `INSERT INTO recipients (id, email, full_name, locale, time_zone, roles, verified_at)
		SELECT gen_random_uuid(), 'bench' || i || '@bench.example', 'Bench ' || i, 'en', 'UTC', ARRAY['bench'], now() FROM generate_series(1, $1) i`, people)
	require.NoError(b, err)
	begin := time.Now()
	admin.Post("/api/v1/notifications", map[string]any{
		"to": map[string]any{"roles": []string{"bench"}}, "category": "product", "title": "Benchmark", "body": "How many a second?",
		"channels": []string{"email", "in_app"},
	}).Want(http.StatusAccepted)
	require.Eventually(b, func() bool {
		var sent int
		require.NoError(b, conn.QueryRow(ctx, "SELECT count(*) FROM deliveries WHERE state = 'sent' AND template = 'notification'").Scan(&sent))
		return sent >= people
	}, 5*time.Minute, 50*time.Millisecond)
	took := time.Since(begin)
	out.single = append(out.single, fact{
		fmt.Sprintf("one notification to %d people, in-app and by mail: from the request to the last mail accepted by SMTP", people), ms(took),
	}, fact{"mails delivered", fmt.Sprintf("%.0f a second", people/took.Seconds())})
}

// atRest restarts each service on its database, which is up to date by then, and weighs it when it has been idle.
func atRest(b *testing.B, m *mesh.Mesh, out *report) {
	b.Helper()
	ready := map[string]time.Duration{}
	for _, p := range m.Services() {
		p.Stop()
		begin := time.Now()
		p.Start()
		p.WaitReady()
		ready[p.Name] = time.Since(begin)
	}
	m.WaitReady()
	<-time.After(3 * time.Second)
	for _, p := range m.Services() {
		out.costs = append(out.costs, cost{Name: p.Name, RSS: resident(b, p.Pid()), Ready: ready[p.Name]})
	}
}

// upAtRest is the same for everything in one process, started for the second time on its folder.
func upAtRest(b *testing.B, out *report) {
	b.Helper()
	data := b.TempDir()
	first := mesh.Up(b, "--ephemeral=false", "--data", data)
	first.Process("atrium").Stop()
	begin := time.Now()
	second := mesh.Up(b, "--ephemeral=false", "--data", data)
	took := time.Since(begin)
	<-time.After(3 * time.Second)
	p := second.Process("atrium")
	out.costs = append(out.costs, cost{Name: "atrium up (all services, NATS and the inbox; without PostgreSQL)", RSS: resident(b, p.Pid()), Ready: took})
	p.Stop()
}

// resident is the memory of a process, in bytes.
func resident(b *testing.B, pid int) int64 {
	b.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(b, err)
	for line := range strings.SplitSeq(string(raw), "\n") {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			require.NoError(b, err)
			return kib << 10
		}
	}
	b.Fatal("no VmRSS")
	return 0
}
