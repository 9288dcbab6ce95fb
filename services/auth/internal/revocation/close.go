package revocation

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

// Closing says how an account is closed.
type Closing struct {
	Reason string
	At     time.Time
	Owner  bool      // the owner of the address keeps the way to prove or to disown the account
	Keep   uuid.UUID // the session that goes on, of whoever is changing the password in it; zero: none
}

// Close voids everything that opens the account as it was until now: sessions with every generation of their refresh tokens, access
// tokens, the links that can set a password or prove the address, those too that are asked for and not yet mailed, and the cookie of the
// browser that signed up. It returns the generation that a mail has to be asked for under from now on. The password is the caller's to
// drop or to replace, in the same transaction. The caller holds LockAccount: refreshing, signing in and making a link take ShareAccount,
// so that each of them is over before this, and voided by it, or begins after it and finds nothing.
//
// Links that only close the account again stay: whoever gets in once more must be thrown out once more.
func (e Ender) Close(ctx context.Context, tx identity.Tx, account uuid.UUID, c Closing) (generation int64, err error) {
	if generation, err = tx.NextGeneration(ctx, account); err != nil {
		return 0, err
	}
	kept := []string{string(api.LinkNotMe)}
	if c.Owner || c.Keep != uuid.Nil {
		// Whoever is signed in may have signed up with the address of somebody else, who keeps the way to prove or to disown it.
		kept = append(kept, string(api.LinkVerifyEmail))
	}
	if err := tx.CloseLinks(ctx, account, kept, c.At); err != nil {
		return 0, err
	}
	if err := tx.ForgetSignUpBrowser(ctx, account); err != nil {
		return 0, err
	}
	if c.Keep != uuid.Nil {
		return generation, e.Others(ctx, tx, account, c.Keep, c.Reason, c.At)
	}
	return generation, e.All(ctx, tx, account, c.Reason, c.At)
}
