package users

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
)

func orDefault(s, fallback string) string {
	if s = strings.TrimSpace(s); s == "" {
		return fallback
	}
	return s
}

// cleanName is a name without the white space around it; a name of nothing else is refused.
func cleanName(s string) (string, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return "", errs.InvalidField("body.full_name", "required", "must not be blank")
	}
	return s, nil
}

// cleanZone is a time zone of the IANA database.
func cleanZone(s string) (string, error) {
	s = orDefault(s, DefaultTimeZone)
	if _, err := time.LoadLocation(s); err != nil || s == "Local" {
		return "", errs.InvalidField("body.time_zone", "unknown_time_zone", "must be a time zone of the IANA database, such as Europe/London")
	}
	return s, nil
}

// allOf is one error that names every field that these errors name.
func allOf(found ...error) error {
	var fields []errs.Field
	for _, err := range found {
		if err != nil {
			fields = append(fields, errs.From(err).Fields...)
		}
	}
	if len(fields) == 0 {
		return nil
	}
	return errs.New(errs.Invalid, "validation_failed", "The request is not valid.").WithFields(fields...)
}

// mayGrant refuses roles other than the ordinary one from who may not assign roles.
func mayGrant(ctx context.Context, roles []string) error {
	if !slices.ContainsFunc(roles, func(r string) bool { return r != "user" }) {
		return nil
	}
	if authz.PrincipalFrom(ctx).Can("roles:assign") {
		return nil
	}
	return errs.New(errs.Forbidden, "permission_denied", "Giving roles needs the permission roles:assign.")
}

// notOwn keeps administrators from locking themselves out.
func notOwn(ctx context.Context, id uuid.UUID) error {
	if own(ctx, id) {
		return errs.New(errs.Conflict, "own_administration", "Nobody may do this to their own user; ask another administrator.")
	}
	return nil
}

// alive refuses to change what is deleted.
func alive(status string) error {
	if status == StatusDeleted {
		return errs.New(errs.Conflict, "user_deleted", "The user is deleted; restore it first.")
	}
	return nil
}
