// Package demo owns the people and the notifications of `atrium up --demo`. It makes them through the gateway's own
// API, as a client would: it signs in as an administrator, invites people, accepts invitations with the links that it
// reads in the inbox, and sends notifications. It can be run again, also after it was interrupted.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/client"
)

// Config says where the mesh is and who fills it.
type Config struct {
	Origin        string // of the gateway, which serves the inbox as well
	AdminEmail    string
	AdminPassword string
	Password      string // that the people who accept their invitation choose
	Marker        string // file that remembers which notifications were sent
	Now           func() time.Time
}

// Result is what there is to look at.
type Result struct {
	Made      int // people made by this run
	Sent      int // notifications sent by this run
	SignInAs  string
	Unchanged bool // all of it was there already
}

// filler is one run.
type filler struct {
	Config
	client *caller
	ids    map[string]string // address → user id, of the people made by this run
}

// Fill makes what is missing.
func Fill(ctx context.Context, cfg Config) (Result, error) {
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	f := &filler{Config: cfg, client: newCaller(cfg.Origin, &http.Client{Transport: transport}), ids: map[string]string{}}
	result := Result{SignInAs: people()[0].email}
	if err := f.signIn(ctx); err != nil {
		return result, fmt.Errorf("sign in as the administrator: %w", err)
	}
	var err error
	if result.Made, err = f.invite(ctx); err != nil {
		return result, err
	}
	if err := f.settle(ctx); err != nil {
		return result, err
	}
	if result.Sent, err = f.send(ctx); err != nil {
		return result, err
	}
	result.Unchanged = result.Made == 0 && result.Sent == 0
	return result, nil
}

func (f *filler) signIn(ctx context.Context) error {
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	credentials := map[string]string{"email": f.AdminEmail, "password": f.AdminPassword}
	if err := f.client.call(ctx, http.MethodPost, "/api/v1/auth/login", "", credentials, &answer); err != nil {
		return err
	}
	f.client.Token = answer.AccessToken
	return nil
}

// user is what is read of a user.
type user struct {
	ID     string `json:"id"`
	Email  string `json:"email"`
	Status string `json:"status"`
}

// invite makes the people who are missing and returns how many.
func (f *filler) invite(ctx context.Context) (made int, err error) {
	for _, p := range people() {
		body := map[string]any{"email": p.email, "full_name": p.name, "locale": p.locale, "time_zone": p.zone, "roles": p.roles}
		var answer user
		err := f.client.call(ctx, http.MethodPost, "/api/v1/users", "", body, &answer)
		if client.Refused(err, http.StatusConflict, "") { // it is there already
			continue
		}
		if err != nil {
			return made, fmt.Errorf("invite %s: %w", p.name, err)
		}
		f.ids[p.email] = answer.ID
		made++
	}
	return made, nil
}

// settle brings each person to the state that the demo shows, from whatever it is.
func (f *filler) settle(ctx context.Context) error {
	var accepted []person
	for _, p := range people() {
		u, err := f.find(ctx, p)
		if err != nil {
			return fmt.Errorf("find %s: %w", p.name, err)
		}
		if u.ID == "" || p.fate == invited || u.Status == "deactivated" || u.Status == "deleted" {
			continue
		}
		if u.Status == "pending" {
			if err := f.accept(ctx, p); err != nil {
				return fmt.Errorf("accept the invitation of %s: %w", p.name, err)
			}
		}
		accepted = append(accepted, p)
	}
	for _, p := range accepted {
		if err := f.conclude(ctx, p); err != nil {
			return fmt.Errorf("settle %s: %w", p.name, err)
		}
	}
	return nil
}

// conclude waits until a person is active everywhere, which takes an event, and does what follows.
func (f *filler) conclude(ctx context.Context, p person) error {
	path := "/api/v1/users/" + f.ids[p.email]
	if err := f.untilActive(ctx, path); err != nil {
		return err
	}
	switch p.fate {
	case deactivated:
		return f.client.call(ctx, http.MethodPost, path+"/deactivate", "", nil, nil)
	case deleted:
		return f.client.call(ctx, http.MethodDelete, path, "", nil, nil)
	case active, invited:
	}
	return nil
}

const (
	activeWithin = 30 * time.Second
	activePoll   = 100 * time.Millisecond
)

func (f *filler) untilActive(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, activeWithin)
	defer cancel()
	for {
		var u user
		if err := f.client.call(ctx, http.MethodGet, path, "", nil, &u); err != nil || u.Status == "active" {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("still %s: %w", u.Status, ctx.Err())
		case <-time.After(activePoll):
		}
	}
}

// find returns the user of a person, whose id is empty when there is none any more.
func (f *filler) find(ctx context.Context, p person) (user, error) {
	if id := f.ids[p.email]; id != "" {
		return user{ID: id, Email: p.email, Status: "pending"}, nil
	}
	for _, status := range []string{"", "&status=deleted"} {
		var answer struct{ Items []user }
		if err := f.client.call(ctx, http.MethodGet, "/api/v1/users?q="+url.QueryEscape(p.email)+status, "", nil, &answer); err != nil {
			return user{}, err
		}
		for _, u := range answer.Items {
			if u.Email == p.email {
				f.ids[p.email] = u.ID
				return u, nil
			}
		}
	}
	return user{}, nil
}

var tokenInLink = regexp.MustCompile(`[?&]token=([A-Za-z0-9._~%-]+)`)

var errNoInvitation = errors.New("no invitation with a link came into the inbox")

// accept reads the invitation in the inbox and chooses a password.
func (f *filler) accept(ctx context.Context, p person) error {
	var inbox struct {
		Items []struct{ Text string }
	}
	if err := f.client.call(ctx, http.MethodGet, "/dev/inbox/messages?wait=30s&to="+url.QueryEscape(p.email), "", nil, &inbox); err != nil {
		return err
	}
	token := ""
	for _, mail := range inbox.Items {
		if found := tokenInLink.FindStringSubmatch(mail.Text); found != nil {
			token = found[1]
		}
	}
	if token == "" {
		return errNoInvitation
	}
	token, err := url.QueryUnescape(token)
	if err != nil {
		return err
	}
	anonymous := newCaller(f.Origin, f.client.HTTP)
	return anonymous.call(ctx, http.MethodPost, "/api/v1/auth/invitation/accept", "", map[string]string{"token": token, "password": f.Password}, nil)
}

// send makes the notifications that no run has sent.
func (f *filler) send(ctx context.Context) (sent int, err error) {
	done, err := readMarker(f.Marker)
	if err != nil {
		return 0, err
	}
	for _, s := range sends() {
		if slices.Contains(done, s.key) {
			continue
		}
		body := map[string]any{"category": s.category, "title": s.title, "body": s.body, "to": f.audience(s)}
		if s.inDays > 0 {
			day := f.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, s.inDays)
			body["send_at"] = day.Add(2 * time.Hour)
		}
		if err := f.client.call(ctx, http.MethodPost, "/api/v1/notifications", "atrium-demo-"+s.key, body, nil); err != nil {
			return sent, fmt.Errorf("send %q: %w", s.title, err)
		}
		sent++
		if done, err = mark(f.Marker, append(done, s.key)); err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// readMarker returns the keys of the notifications that were sent by an earlier run.
func readMarker(path string) ([]string, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what the demo has sent: %w", err)
	}
	return strings.Fields(string(content)), nil
}

func mark(path string, keys []string) ([]string, error) {
	if err := os.WriteFile(path, []byte(strings.Join(keys, "\n")+"\n"), 0o600); err != nil {
		return keys, fmt.Errorf("remember what the demo has sent: %w", err)
	}
	return keys, nil
}

func (f *filler) audience(s send) map[string]any {
	switch {
	case len(s.roles) > 0:
		return map[string]any{"roles": s.roles}
	case len(s.to) > 0:
		var ids []string
		for _, email := range s.to {
			ids = append(ids, f.ids[email])
		}
		return map[string]any{"user_ids": ids}
	default:
		return map[string]any{"everyone": true}
	}
}
