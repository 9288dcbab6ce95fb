package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/op"
)

// GetPreferences says what reaches the caller where.
var GetPreferences = op.Op[GetPreferencesRequest, PreferencesResponse]{
	Operation: huma.Operation{
		OperationID: "get-notification-preferences", Method: http.MethodGet, Path: "/api/v1/notifications/preferences", Tags: tagNotifications,
		Summary: "Read your preferences",
		Description: "What reaches you where: every category with its channels. Until you choose, everything is on except `marketing`. A `locked` " +
			"category is always delivered. The `ETag` is for `If-Match` of the PUT.",
		Errors: []int{http.StatusForbidden},
	},
	Subject: "rpc.notifications.get-notification-preferences",
	Allow:   authz.Authenticated(),
}

// PutPreferences replaces the caller's choices.
var PutPreferences = op.Op[PutPreferencesRequest, PreferencesResponse]{
	Operation: huma.Operation{
		OperationID: "put-notification-preferences", Method: http.MethodPut, Path: "/api/v1/notifications/preferences", Tags: tagNotifications,
		Summary: "Replace your preferences",
		Description: "Replaces what you chose; a category that is left out goes back to what holds without a choice. What the GET answers can be " +
			"changed and sent back as it is. Turning off a locked category is 422 with the field code `locked`, and changes nothing. With `If-Match` " +
			"a change made meanwhile elsewhere is 412 `version_conflict`. It holds for whatever is delivered from then on.",
		Errors: []int{http.StatusForbidden, http.StatusPreconditionFailed},
	},
	Subject: "rpc.notifications.put-notification-preferences",
	Allow:   authz.Authenticated(),
}

// Unsubscribe turns off the e-mails of a category with the link that stands in each of them.
var Unsubscribe = op.Op[UnsubscribeRequest, struct{}]{
	Operation: huma.Operation{
		OperationID: "unsubscribe", Method: http.MethodPost, Path: "/api/v1/notifications/unsubscribe", Tags: tagNotifications,
		Summary: "Unsubscribe by link",
		Description: "Turns off the e-mails of one category for one person, as the token says. It is the one-click unsubscribe of RFC 8058: mail " +
			"programs call it with the address in an e-mail's `List-Unsubscribe` field, without signing in. It can be called again; the body is " +
			"ignored. The answer is a small page. A token that is not ours is 400 `invalid_unsubscribe_token`.",
		DefaultStatus: http.StatusOK,
		Errors:        []int{http.StatusBadRequest},
		Responses: map[string]*huma.Response{"200": {
			Description: "The e-mails are off.",
			Content: map[string]*huma.MediaType{"text/html": {
				Schema: &huma.Schema{Type: huma.TypeString}, Example: "<!doctype html><title>Unsubscribed</title>",
			}},
		}},
	},
	Allow: authz.Public(),
}

// UnsubscribePage asks a person whether to unsubscribe; opening a link must not change anything.
var UnsubscribePage = op.Op[UnsubscribeRequest, struct{}]{
	Operation: huma.Operation{
		OperationID: "unsubscribe-page", Method: http.MethodGet, Path: "/api/v1/notifications/unsubscribe", Tags: tagNotifications,
		Summary: "Ask whether to unsubscribe", Hidden: true,
	},
	Allow: authz.Public(),
}

// GetPreferencesRequest asks for the caller's preferences.
type GetPreferencesRequest struct{}

// PutPreferencesRequest replaces the caller's preferences.
type PutPreferencesRequest struct {
	IfMatch string `header:"If-Match" maxLength:"64" doc:"The ETag that the change is based on." example:"\"3\""`
	Body    NotificationPreferences
}

// PreferencesResponse is what reaches a person where.
type PreferencesResponse struct {
	ETag string `header:"ETag" doc:"The version of the preferences." example:"\"3\""`
	Body NotificationPreferences
}

// NotificationPreferences is what reaches a person where.
type NotificationPreferences struct {
	Categories []CategoryPreference `json:"categories" maxItems:"4" nullable:"false" doc:"One entry for each category."`
}

// CategoryPreference is where the messages of a category go.
type CategoryPreference struct {
	Category Category          `json:"category" enum:"security,account,product,marketing" doc:"What the messages are about." example:"product"`
	Locked   bool              `json:"locked,omitempty" doc:"It cannot be turned off. Ignored in what is sent." example:"false"`
	Channels ChannelPreference `json:"channels" doc:"Where they go."`
}

// ChannelPreference turns channels on and off.
type ChannelPreference struct {
	InApp bool `json:"in_app" doc:"In the app." example:"true"`
	Email bool `json:"email" doc:"By e-mail." example:"false"`
}

// UnsubscribeRequest carries the token of an unsubscribe link.
type UnsubscribeRequest struct {
	Token string `query:"token" required:"true" minLength:"1" maxLength:"512" doc:"The token in the link." example:"AZjFoG9efDuaUT99HCtKXgA.c2lnbmF0dXJl"`
}
