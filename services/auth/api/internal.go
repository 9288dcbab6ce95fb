package api

import (
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/mail/letter"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/token"
)

// LinkPurpose says what a link in a mail is for.
type LinkPurpose string

// The purposes of links.
const (
	LinkVerifyEmail   LinkPurpose = "verify_email"
	LinkResetPassword LinkPurpose = "reset_password"
	LinkInvitation    LinkPurpose = "invitation"
	LinkNotMe         LinkPurpose = "not_me"
	LinkSetup         LinkPurpose = "setup" // never in a mail: `atrium up` prints it
)

// CreateAccountRequest makes an account for a person who will be invited. The same id again is the same account.
type CreateAccountRequest struct {
	ID       uuid.UUID `json:"id"`
	Email    string    `json:"email" minLength:"3" maxLength:"254"`
	FullName string    `json:"full_name" maxLength:"200"`
	Locale   string    `json:"locale,omitempty" maxLength:"64"`
	Roles    []string  `json:"roles,omitempty" maxItems:"16" uniqueItems:"true" minLength:"1" maxLength:"64"` // empty: user
}

// CreateAccountResponse is the account that was made, now or before.
type CreateAccountResponse struct {
	ID        uuid.UUID `json:"id"`
	Email     string    `json:"email"`
	CreatedAt time.Time `json:"created_at"`
	Standing  Standing  `json:"standing,omitempty"` // as of StandingVersion: the account may have been made, and stopped, before

	StandingVersion int64 `json:"standing_version,omitempty"` // zero: it was never changed
}

// CreateAccount makes an account without a password and emits [AccountRegistered] with [OriginInvitation]. It is idempotent on the
// id; another account with the address is errs.Conflict "email_taken", an unknown role errs.Invalid "unknown_role", and a role that
// allows what the caller may not errs.Forbidden "permission_not_held". Only users asks for it, and only for a person who may make users.
var CreateAccount = op.Op[CreateAccountRequest, CreateAccountResponse]{
	Operation: huma.Operation{OperationID: "create-account"},
	Subject:   "rpc.auth.create-account", Allow: authz.Require(PermUsersWrite).By("users"),
}

// GetAccountRequest names an account.
type GetAccountRequest struct {
	ID uuid.UUID `json:"id"`
}

// GetAccountResponse is an account as auth knows it.
type GetAccountResponse struct {
	ID        uuid.UUID `json:"id"`
	Email     string    `json:"email"`
	FullName  string    `json:"full_name"`
	Locale    string    `json:"locale,omitempty"`
	Status    string    `json:"status"` // a Standing
	Roles     []string  `json:"roles"`
	Verified  bool      `json:"verified"`
	CreatedAt time.Time `json:"created_at"`

	StandingVersion int64 `json:"standing_version,omitempty"` // of the status; zero: it was never changed
	RolesVersion    int64 `json:"roles_version,omitempty"`    // as in [RolesChangedData]
}

// GetAccount reads the account of the person who asks, for users, where its event has not arrived yet. errs.NotFound
// "account_not_found" also for anybody else's.
var GetAccount = op.Op[GetAccountRequest, GetAccountResponse]{
	Operation: huma.Operation{OperationID: "get-account"},
	Subject:   "rpc.auth.get-account", Allow: authz.Authenticated().By("users"),
}

// AnnounceLinkRequest names the mail that a link is for, and what the link does. The same delivery has the same link again.
type AnnounceLinkRequest struct {
	AccountID  uuid.UUID   `json:"account_id"`
	Purpose    LinkPurpose `json:"purpose" minLength:"1" maxLength:"32"`
	DeliveryID uuid.UUID   `json:"delivery_id"`
	Generation int64       `json:"generation,omitempty"` // of the event that asked for the mail
}

// AnnounceLinkResponse is what the words of the mail say of its link. The link itself leaves auth in the mail, and in no other way.
type AnnounceLinkResponse struct {
	ExpiresAt time.Time `json:"expires_at"`
}

// AnnounceLink makes the one-time link of a mail that is about to be written. errs.NotFound "account_not_found"; errs.Conflict
// "link_not_needed" when the account has no use for it any more, such as a verified one for a verification link, or when the account was
// closed since the mail was asked for: the mail need not be sent; errs.Conflict "link_not_asked_for" when auth knows of nothing that it
// would be for, or another mail has its link.
var AnnounceLink = op.Op[AnnounceLinkRequest, AnnounceLinkResponse]{
	Operation: huma.Operation{OperationID: "announce-link"},
	Subject:   "rpc.auth.announce-link", Allow: authz.Services("notifications"),
}

// SendLinkRequest is the words of the mail.
type SendLinkRequest struct {
	AnnounceLinkRequest
	Letter letter.Letter `json:"letter"` // see [letter.Letter.Check]
}

// SendLinkResponse says what became of the mail.
type SendLinkResponse struct {
	Email   string       `json:"email"`            // where it was sent
	Refused *MailRefusal `json:"refused,omitzero"` // nil: the mail server has accepted it, now or before
}

// MailRefusal is why the mail server has not accepted a mail. Its parts are those of mail.Error.
type MailRefusal struct {
	Reason    string `json:"reason"`
	Detail    string `json:"detail,omitempty"`
	Temporary bool   `json:"temporary"`
}

// SendLink lays the letter out around the link of its mail and sends it to the address of the account. A delivery that was accepted is not
// sent again. Its errors are those of [AnnounceLink]; errs.Invalid for a letter that is not plain text of a reasonable size, and
// errs.RateLimited "mails_under_way" when the replica hands over this mail already, or as many as it may. Its time covers a connection that turns out to be
// stale, a new one, and the mail, each as slow as mail.Config allows.
var SendLink = op.Op[SendLinkRequest, SendLinkResponse]{
	Operation: huma.Operation{OperationID: "send-link"},
	Subject:   "rpc.auth.send-link", Allow: authz.Services("notifications"), Timeout: 45 * time.Second,
}

// ListWatermarksRequest asks for the watermarks raised after a cursor, "" for all in force.
type ListWatermarksRequest struct {
	Cursor string `json:"cursor,omitempty" maxLength:"2048"`
}

// ListWatermarksResponse is watermarks, oldest first. Next equals the request's cursor when there is nothing more; successive answers
// overlap a little.
type ListWatermarksResponse struct {
	Items []token.Watermark `json:"items"`
	Next  string            `json:"next"`
}

// ListWatermarks is what every verifier polls, so that no revocation is missed.
var ListWatermarks = op.Op[ListWatermarksRequest, ListWatermarksResponse]{
	Operation: huma.Operation{OperationID: "list-watermarks"},
	Subject:   "rpc.auth.list-watermarks", Allow: authz.Services("users", "notifications", "gateway"), Timeout: 2 * time.Second, Quiet: true,
}
