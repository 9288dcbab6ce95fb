package users_test

import (
	"context"
	"sync"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/users/internal/users"
)

// authority stands for auth where it is asked about accounts: it keeps the contract of its operations, not its inside.
type authority struct {
	mu     sync.Mutex
	by     map[uuid.UUID]account
	asked  []auth.Verb
	refuse error // what everything is answered with
}

type account struct {
	is, before auth.Standing
	version    int64
}

func (a *authority) ask(verb auth.Verb) users.Ask {
	return func(_ context.Context, in *auth.AccountActionRequest) (*auth.StandingResponse, error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.asked = append(a.asked, verb)
		if a.refuse != nil {
			return nil, a.refuse
		}
		have, ok := a.by[in.AccountID]
		if !ok {
			have.is = auth.StandingActive
		}
		to := have
		switch {
		case have.is == auth.StandingErased && verb == auth.VerbRestore:
			return nil, errs.New(errs.NotFound, "user_not_found", "There is no such user.")
		case have.is == auth.StandingErased:
		case verb == auth.VerbDelete && have.is != auth.StandingDeleted:
			to.is, to.before = auth.StandingDeleted, have.is
		case verb == auth.VerbRestore && have.is == auth.StandingDeleted:
			to.is = have.before
		case verb == auth.VerbErase && have.is == auth.StandingDeleted:
			to.is = auth.StandingErased
		case verb == auth.VerbDelete, verb == auth.VerbRestore, verb == auth.VerbErase:
		case have.is == auth.StandingDeleted:
			return nil, errs.New(errs.Conflict, "user_deleted", "The user is deleted; restore it first.")
		case verb == auth.VerbDeactivate:
			to.is = auth.StandingDisabled
		case verb == auth.VerbActivate:
			to.is = auth.StandingActive
		}
		if to.is != have.is {
			to.version++
		}
		a.by[in.AccountID] = to
		return &auth.StandingResponse{Standing: to.is, Version: to.version}, nil
	}
}

func (a *authority) mayEdit(context.Context, *auth.AccountActionRequest) (*struct{}, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, auth.VerbEdit)
	if a.refuse != nil {
		return nil, a.refuse
	}
	return &struct{}{}, nil
}

// set is how an account stands that nobody was asked about.
func (a *authority) set(id uuid.UUID, is auth.Standing, version int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.by[id] = account{is: is, before: auth.StandingActive, version: version}
}
