package check

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// cleanUp removes the throw-away person, or says that there is one.
func (w *walk) cleanUp(ctx context.Context) {
	if !w.signedUp {
		return
	}
	if w.cfg.Admin == (Credentials{}) {
		w.found("clean up: %s stays; an administrator can delete it", w.who.Email)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, cleanUpLimit)
	defer cancel()
	if err := w.remove(ctx); err != nil {
		w.findings = append(w.findings, Finding{About: aboutWalk, Found: fmt.Sprintf("clean up: %s stays: %v", w.who.Email, err)})
		return
	}
	w.found("clean up: %s is deleted", w.who.Email)
}

func (w *walk) remove(ctx context.Context) error {
	token, err := w.login(ctx, w.cfg.Admin)
	if err != nil {
		return fmt.Errorf("sign in as %s: %w", w.cfg.Admin.Email, err)
	}
	w.gateway.Token = token
	deleted := settle(ctx, func() (bool, error) { // users may not have heard of the account
		id, err := w.find(ctx)
		if err != nil || id == "" {
			return err != nil, errors.Join(err, errUnknown)
		}
		return true, w.gateway.call(ctx, http.MethodDelete, "/api/v1/users/"+id, nil, nil)
	})
	return errors.Join(deleted, w.gateway.call(ctx, http.MethodPost, "/api/v1/auth/logout", nil, nil))
}

var errUnknown = errors.New("users has not heard of the account")

// find is the id of the throw-away person, which signing up does not tell; "" when users does not know it yet.
func (w *walk) find(ctx context.Context) (string, error) {
	var list struct {
		Items []struct{ ID, Email string }
	}
	if err := w.gateway.call(ctx, http.MethodGet, "/api/v1/users?q="+url.QueryEscape(w.who.Email), nil, &list); err != nil {
		return "", err
	}
	for _, user := range list.Items {
		if strings.EqualFold(user.Email, w.who.Email) {
			return user.ID, nil
		}
	}
	return "", nil
}
