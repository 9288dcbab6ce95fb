package check

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/client"
)

const (
	settleWithin = 15 * time.Second // an event from one service to another, with room to spare
	settlePoll   = 200 * time.Millisecond
	mailWait     = 30 * time.Second
	cleanUpLimit = 30 * time.Second
	aboutWalk    = "walk"
)

// walk is one person's way through the gateway.
type walk struct {
	cfg      Config
	gateway  *caller
	who      Credentials
	signedUp bool
	findings []Finding
}

func walkThrough(ctx context.Context, calls *http.Client, cfg Config) []Finding {
	w := &walk{
		cfg:     cfg,
		gateway: &caller{client.Client{Origin: cfg.Gateway, HTTP: calls}, cfg.Say},
		who:     Credentials{Email: "atrium-check-" + strings.ToLower(rand.Text()[:16]) + "@example.com", Password: rand.Text()},
	}
	walking, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	if err := w.steps(walking); err != nil {
		w.findings = append(w.findings, Finding{About: aboutWalk, Found: err.Error()})
	}
	w.cleanUp(context.WithoutCancel(ctx))
	return w.findings
}

func (w *walk) found(format string, args ...any) {
	w.findings = append(w.findings, Finding{About: aboutWalk, OK: true, Found: fmt.Sprintf(format, args...)})
}

var errAccepted = errors.New("somebody whose address is not verified was signed in")

func (w *walk) steps(ctx context.Context) error {
	closed, err := w.signUp(ctx)
	if err != nil || closed {
		return err
	}
	err = w.signIn(ctx)
	if err == nil {
		return errAccepted
	}
	if !client.Refused(err, http.StatusUnauthorized, "invalid_credentials") && !client.Refused(err, http.StatusForbidden, "email_not_verified") {
		return fmt.Errorf("sign in before the address is verified: %w", err)
	}
	w.found("sign in: refused until the address is verified")
	if w.cfg.Inbox == "" {
		return nil
	}
	if err := w.verify(ctx); err != nil {
		return err
	}
	if err := w.signIn(ctx); err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	w.found("sign in: tokens came")
	return errors.Join(w.readProfile(ctx), w.signOut(ctx))
}

// signUp reports closed when people cannot sign up at this mesh, which its operator decides.
func (w *walk) signUp(ctx context.Context) (closed bool, err error) {
	body := struct {
		Credentials
		FullName string `json:"full_name"`
	}{w.who, "Atrium Check"}
	err = w.gateway.call(ctx, http.MethodPost, "/api/v1/auth/register", body, nil)
	if client.Refused(err, http.StatusForbidden, "registration_disabled") {
		w.found("sign up: people cannot sign up here, so that the walk ends at the answer of auth")
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("sign up: %w", err)
	}
	w.signedUp = true
	w.found("sign up: %s", w.who.Email)
	return false, nil
}

func (w *walk) signIn(ctx context.Context) error {
	token, err := w.login(ctx, w.who)
	w.gateway.Token = token
	return err
}

func (w *walk) login(ctx context.Context, who Credentials) (token string, err error) {
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	err = w.gateway.call(ctx, http.MethodPost, "/api/v1/auth/login", who, &answer)
	return answer.AccessToken, err
}

var tokenInLink = regexp.MustCompile(`[?&]token=([\w.~%-]+)`)

// verify follows the link in the mail.
func (w *walk) verify(ctx context.Context) error {
	inbox := &caller{client.Client{Origin: w.cfg.Inbox, HTTP: w.gateway.HTTP}, w.cfg.Say}
	var mails struct{ Items []struct{ Text string } }
	path := fmt.Sprintf("/dev/inbox/messages?wait=%s&to=%s", mailWait, url.QueryEscape(w.who.Email))
	if err := inbox.call(ctx, http.MethodGet, path, nil, &mails); err != nil {
		return fmt.Errorf("read the inbox: %w", err)
	}
	for _, mail := range mails.Items {
		match := tokenInLink.FindStringSubmatch(mail.Text)
		if match == nil {
			continue
		}
		token, err := url.QueryUnescape(match[1])
		if err != nil {
			return fmt.Errorf("read the link in the mail: %w", err)
		}
		proof := map[string]string{"token": token, "password": w.who.Password}
		if err := w.gateway.call(ctx, http.MethodPost, "/api/v1/auth/verify-email", proof, nil); err != nil {
			return fmt.Errorf("verify the address: %w", err)
		}
		w.found("mail: came, and its link verifies the address")
		return nil
	}
	return fmt.Errorf("mail: none with a link came to %s within %s: see the logs of notifications and auth", w.who.Email, mailWait)
}

// readProfile waits for the event that tells users of the account.
func (w *walk) readProfile(ctx context.Context) error {
	var me struct{ Email string }
	err := settle(ctx, func() (bool, error) {
		err := w.gateway.call(ctx, http.MethodGet, "/api/v1/users/me", nil, &me)
		return !client.Refused(err, http.StatusNotFound, ""), err
	})
	if err != nil {
		return fmt.Errorf("read the profile: %w", err)
	}
	if !strings.EqualFold(me.Email, w.who.Email) {
		return fmt.Errorf("read the profile: it is that of %q", me.Email)
	}
	w.found("profile: read from users")
	return nil
}

var errStillTaken = errors.New("the token is still taken")

// signOut waits for every process to hear of it.
func (w *walk) signOut(ctx context.Context) error {
	if err := w.gateway.call(ctx, http.MethodPost, "/api/v1/auth/logout", nil, nil); err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	err := settle(ctx, func() (bool, error) {
		err := w.gateway.call(ctx, http.MethodGet, "/api/v1/users/me", nil, nil)
		switch {
		case client.Refused(err, http.StatusUnauthorized, ""):
			return true, nil
		case err == nil:
			return false, errStillTaken
		default:
			return true, err
		}
	})
	if err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	w.found("sign out: the token is refused")
	return nil
}

// settle asks again until it is done, or as long as an event may take.
func settle(ctx context.Context, ask func() (done bool, err error)) error {
	limit := time.After(settleWithin)
	for {
		done, err := ask()
		if done {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-limit:
			return err
		case <-time.After(settlePoll):
		}
	}
}
