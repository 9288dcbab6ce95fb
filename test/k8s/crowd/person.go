package crowd

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"sync"

	authapi "github.com/atrium-mesh/atrium/services/auth/api"
	notificationsapi "github.com/atrium-mesh/atrium/services/notifications/api"
	usersapi "github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
)

// Person is one of the crowd.
type Person struct {
	client.Person

	tally   *Tally
	visitor *client.Client // without tokens
	session *session
	boss    *session // who sends notifications

	mu       sync.Mutex
	name     string // that was written last, and taken
	writes   int
	sends    int
	sent     map[string]bool // titles of what was accepted
	received map[string]int  // how often each title came
	last     string          // id of the notification that came last
}

// read reads one's own profile. What was written before must be there.
func (p *Person) read(ctx context.Context) {
	p.mu.Lock()
	writes := p.writes
	p.mu.Unlock()
	answer, err := ask(ctx, p.tally, "read", p.session.now(), client.Request{Method: http.MethodGet, Path: usersapi.GetMe.Path}, http.StatusOK)
	if err != nil {
		return
	}
	var user usersapi.User
	if err := json.Unmarshal(answer.Body, &user); err != nil {
		p.tally.failed("read", err)
		return
	}
	var seen int
	if _, err := fmt.Sscanf(user.FullName, "Ada %d", &seen); writes > 0 && (err != nil || seen < writes) {
		p.tally.failed("read", fmt.Errorf("%q is older than change %d, which was answered", user.FullName, writes))
	}
}

// write changes one's own name.
func (p *Person) write(ctx context.Context) {
	p.mu.Lock()
	next := p.writes + 1
	p.mu.Unlock()
	name := fmt.Sprintf("Ada %d", next)
	_, err := ask(ctx, p.tally, "write", p.session.now(), client.Request{
		Method: http.MethodPatch, Path: usersapi.UpdateMe.Path, Body: map[string]string{"full_name": name},
	}, http.StatusOK)
	if err == nil {
		p.mu.Lock()
		p.writes, p.name = next, name
		p.mu.Unlock()
	}
}

// signIn signs in on another device and out again.
func (p *Person) signIn(ctx context.Context) {
	answer, err := ask(ctx, p.tally, "sign-in", p.visitor.Device("crowd/second"), client.Request{
		Method: http.MethodPost, Path: authapi.Login.Path, Body: map[string]string{"email": p.Email, "password": p.Password},
	}, http.StatusOK)
	if err != nil {
		return
	}
	var tokens authapi.Tokens
	if err := json.Unmarshal(answer.Body, &tokens); err != nil {
		p.tally.failed("sign-in", err)
		return
	}
	_, _ = ask(ctx, p.tally, "sign-out", p.visitor.WithToken(tokens.AccessToken),
		client.Request{Method: http.MethodPost, Path: authapi.Logout.Path}, http.StatusNoContent)
}

// notify has a notification sent to the person. One that was not answered is sent again under the same key, as clients do who want it
// sent once.
func (p *Person) notify(ctx context.Context) {
	p.mu.Lock()
	title := fmt.Sprintf("%s-%d", p.ID, p.sends)
	p.mu.Unlock()
	_, err := ask(ctx, p.tally, "notify", p.boss.now(), client.Request{
		Method: http.MethodPost, Path: notificationsapi.SendNotification.Path,
		Header: http.Header{"Idempotency-Key": {title}},
		Body: map[string]any{
			"to": map[string]any{"user_ids": []string{p.ID}}, "category": "product", "title": title, "body": "b", "channels": []string{"in_app"},
		},
	}, http.StatusAccepted)
	if err == nil {
		p.mu.Lock()
		p.sends++
		p.sent[title] = true
		p.mu.Unlock()
	}
}

func (p *Person) counts() (sent map[string]bool, received map[string]int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.sent), maps.Clone(p.received)
}

// Name is what the person is called since the last change that was answered, "" when there was none.
func (p *Person) Name() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.name
}

// Caught reports whether everything that was sent has been received.
func (p *Person) Caught() bool {
	sent, received := p.counts()
	for title := range sent {
		if received[title] == 0 {
			return false
		}
	}
	return true
}
