package e2e_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	authapi "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
	"github.com/atrium-mesh/atrium/test/e2e/mesh"
)

// TestUpKilled: `atrium up` is killed with kill -9 right after people have signed up, PostgreSQL and NATS with it. After the next start
// everybody gets the one mail and the profile.
func TestUpKilled(t *testing.T) {
	t.Parallel()
	m := mesh.Up(t, "--data", filepath.Join(t.TempDir(), "data"))
	v := visitor(t, m)
	var people []client.Person
	for round := range 3 {
		for i := range 5 {
			people = append(people, v.Register(client.NewPerson(fmt.Sprintf("killed%d%d", round, i))))
		}
		m.Process("atrium").Kill()
		m.Process("atrium").Start()
		m.WaitUp(round + 2)
	}
	for _, p := range people {
		v.Verify(p)
		device := v.Device("e2e/after")
		device.Login(p)
		require.Equal(t, p.FullName, device.WaitActive().FullName)
		require.Equal(t, 1, v.CountMails(p.Email, client.SubjectVerification))
	}
	t.Logf("starts: %q", regexp.MustCompile(`ready in [\d.]+ s`).FindAllString(m.Process("atrium").Log(), -1))
}

// TestUpStops: `atrium up --ephemeral` that is told to stop ends well and leaves nothing behind: no folder, no process, no port.
func TestUpStops(t *testing.T) {
	t.Parallel()
	m := mesh.Up(t)
	v := visitor(t, m)
	_, device := v.SignUp("ada")
	stream := device.WebSocket()
	atrium := m.Process("atrium")
	folder := filepath.Dir(filepath.Dir(regexp.MustCompile(`Log\s+(\S+)`).FindStringSubmatch(atrium.Log())[1]))
	require.DirExists(t, folder)
	begin := time.Now()
	atrium.Stop()
	t.Logf("stopped in %v", time.Since(begin).Round(time.Millisecond))
	_, how := stream.WaitEnd()
	require.Contains(t, []string{"1012", "eof"}, how, "an open stream ends")
	require.NoDirExists(t, folder)
	_, err := (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", mesh.Host(m.Origin))
	require.Error(t, err)
	require.Empty(t, processesIn(t, folder))
}

// processesIn are the command lines of processes that name a folder.
func processesIn(t *testing.T, folder string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	var found []string
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err == nil && regexp.MustCompile(regexp.QuoteMeta(folder)).Match(raw) {
			found = append(found, string(raw))
		}
	}
	return found
}

// TestUpSetup: where no administrator was asked for, the link that is printed makes the first one, once.
func TestUpSetup(t *testing.T) {
	t.Parallel()
	m := mesh.UpWithoutAdministrator(t)
	v := visitor(t, m)
	link := regexp.MustCompile(`http://\S+/account/setup\?token=\S+`).FindString(m.Process("atrium").Log())
	require.NotEmpty(t, link)
	mail := client.Mail{Text: link}
	page := v.Get(mail.Link(t).RequestURI()).Want(http.StatusOK)
	require.Contains(t, page.Header.Get("Content-Type"), "text/html")
	p := client.NewPerson("root")
	body := map[string]string{"token": mail.Token(t), "email": p.Email, "password": p.Password, "full_name": p.FullName}
	v.Post(authapi.SetupFirstAdmin.Path, map[string]string{"token": "nonsense", "email": p.Email, "password": p.Password, "full_name": p.FullName}).
		WantProblem(http.StatusUnprocessableEntity, "link_invalid")
	v.Post(authapi.SetupFirstAdmin.Path, body).Want(http.StatusCreated)
	again := client.NewPerson("again")
	body["email"] = again.Email
	a := v.Post(authapi.SetupFirstAdmin.Path, body)
	require.Contains(t, []int{http.StatusConflict, http.StatusUnprocessableEntity}, a.Status, a.String())
	admin := v.Device("e2e/root")
	admin.Login(p)
	admin.WaitActive()
	admin.Get("/api/v1/users").Want(http.StatusOK)
}
