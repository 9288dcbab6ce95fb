package deliveries

import (
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/notifications/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/templates"
)

// Kind is what holds for all deliveries of a template.
type Kind struct {
	Category api.Category     // "": as the send says
	Link     auth.LinkPurpose // "": no link of auth's
	Inactive bool             // reaches those, too, who are deactivated or deleted
}

// KindOf is what holds for a template; false for one that is not delivered by itself. What proves an address or tells of a danger is of
// the locked category, so that nobody misses it.
func KindOf(name templates.Name) (Kind, bool) {
	switch name {
	case templates.Verification:
		return Kind{Category: api.CategorySecurity, Link: auth.LinkVerifyEmail}, true
	case templates.Reset, templates.AccountExists:
		return Kind{Category: api.CategorySecurity, Link: auth.LinkResetPassword}, true
	case templates.Invitation:
		return Kind{Category: api.CategorySecurity, Link: auth.LinkInvitation}, true
	case templates.NewDevice, templates.PasswordChanged, templates.SessionCompromised:
		return Kind{Category: api.CategorySecurity, Link: auth.LinkNotMe}, true
	case templates.AccountClosed, templates.AccountDeleted, templates.AccountDeactivated, templates.AccountActivated, templates.AccountRestored,
		templates.RolesChanged, templates.NameChanged:
		// A restored account may still be deactivated, and events of other services come in any order: all of them reach everybody.
		return Kind{Category: api.CategorySecurity, Inactive: true}, true
	case templates.Welcome:
		return Kind{Category: api.CategoryAccount}, true
	case templates.Notification:
		return Kind{}, true
	default:
		return Kind{}, false
	}
}

// Priority orders what waits for a worker: 1 goes first. A campaign to everybody must not keep a person from confirming an address.
func Priority(category api.Category) int {
	switch category {
	case api.CategorySecurity:
		return 1
	case api.CategoryAccount:
		return 2
	case api.CategoryProduct:
		return 3
	default:
		return 4
	}
}
