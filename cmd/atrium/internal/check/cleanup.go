package check

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/client"
)

// cleanUp removes the throw-away person, or says that there is one.
func (w *walk) cleanUp(ctx context.Context) {
	if w.id == "" {
		return
	}
	if w.cfg.Admin == (Credentials{}) {
		w.found("clean up: %s stays (user %s); an administrator can delete it", w.who.Email, w.id)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, cleanUpLimit)
	defer cancel()
	if err := w.remove(ctx); err != nil {
		w.findings = append(w.findings, Finding{About: aboutWalk, Found: fmt.Sprintf("clean up: %s stays (user %s): %v", w.who.Email, w.id, err)})
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
		err := w.gateway.call(ctx, http.MethodDelete, "/api/v1/users/"+w.id, nil, nil)
		return !client.Refused(err, http.StatusNotFound, ""), err
	})
	return errors.Join(deleted, w.gateway.call(ctx, http.MethodPost, "/api/v1/auth/logout", nil, nil))
}
