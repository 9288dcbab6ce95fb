// Package deliveries owns what leaves the mesh: one delivery for each recipient, channel and template of a cause, from the moment it is
// queued, with the change that caused it, until it was accepted or given up.
//
//	queued ──► sending ──► sent
//	             │  ▲
//	             │  └───── failed     a temporary refusal: tried again, later each time
//	             ├───────► dead       refused for good, or tried too often; can be replayed
//	             └───────► skipped    there is nobody to send it to any more
//
// A delivery may be sent twice when the process dies between the server's answer and the row that says so; then both mails have the
// same Message-ID. A mail with a link of auth's is sent by auth, which remembers that it was accepted.
package deliveries

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/text"
	"github.com/atrium-mesh/atrium/services/notifications/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/preferences"
	"github.com/atrium-mesh/atrium/services/notifications/internal/recipients"
	"github.com/atrium-mesh/atrium/services/notifications/internal/templates"
)

// Delivery is a delivery with what its template tells.
type Delivery struct {
	api.Delivery
	Data  Data
	Round int32 // how often it was replayed after it had been settled
}

// Data is what a template tells beyond what is known of the recipient when it is rendered. There is no secret in it: the links
// that open an account are auth's.
type Data struct {
	Device string    `json:"device,omitempty"`
	IP     string    `json:"ip,omitempty"`
	At     time.Time `json:"at,omitzero"`
	SendID uuid.UUID `json:"send_id,omitzero"` // whose title and text are told

	Generation int64 `json:"generation,omitempty"` // of the account, when the mail's link was asked for

	LastNotice bool         `json:"last_notice,omitempty"`
	By         templates.By `json:"by,omitempty"`
	Added      []string     `json:"added,omitempty"`
	Removed    []string     `json:"removed,omitempty"`
	Inactive   bool         `json:"inactive,omitempty"`
	NoPassword bool         `json:"no_password,omitempty"`
}

// Words are what a template tells a recipient of it, without links.
func (d Data) Words(to recipients.Recipient) templates.Data {
	return templates.Data{
		Name:       to.Greeting(),
		Locale:     to.Locale,
		TimeZone:   to.TimeZone,
		Device:     d.Device,
		IP:         d.IP,
		At:         d.At,
		LastNotice: d.LastNotice,
		By:         d.By,
		Added:      d.Added,
		Removed:    d.Removed,
		Inactive:   d.Inactive,
		NoPassword: d.NoPassword,
	}
}

// What a mail says of where something was done, in bytes. Programs write it about themselves, so that it is cut and not refused: the
// warning must go out.
const (
	maxDevice = 128
	maxIP     = 64
)

func (d Data) bounded() Data {
	d.Device, d.IP = text.Bounded(d.Device, maxDevice), text.Bounded(d.IP, maxIP)
	return d
}

// Order asks for mails of one template to several recipients.
type Order struct {
	Cause      uuid.UUID
	Template   templates.Name
	Category   api.Category // only for templates.Notification; the others have theirs
	Recipients []To
	Data       Data
	At         time.Time
}

// To is a recipient and their organization.
type To struct {
	ID    uuid.UUID
	OrgID string
}

// Step is a new state of deliveries, for their history.
type Step struct {
	State   api.DeliveryState
	Attempt int32
	Reason  string
	Detail  string
	Actor   string
}

// Result is how an attempt ended.
type Result struct {
	ID            uuid.UUID
	Attempt       int32
	State         api.DeliveryState
	Reason        string
	Address       string
	Locale        string
	NextAttemptAt *time.Time
	SentAt        *time.Time
}

// ListQuery asks for some deliveries, newest first.
type ListQuery struct {
	api.ListDeliveriesRequest
	Recipient uuid.NullUUID
	Before    uuid.UUID // only those with a lower id
	Limit     int32
	Offset    int64
}

// Reader reads deliveries.
type Reader interface {
	ListDeliveries(ctx context.Context, q ListQuery) ([]api.Delivery, error)
	CountDeliveries(ctx context.Context, q ListQuery) (int64, error)
	// Delivery is one with its history; errs.NotFound when there is none.
	Delivery(ctx context.Context, id uuid.UUID) (api.Delivery, error)
}

// Tx changes deliveries within a transaction.
type Tx interface {
	// InsertDeliveries makes them, each with its first step and its job, but for those that are there already. Ids are parallel to
	// o.Recipients. It returns how many were made.
	InsertDeliveries(ctx context.Context, o Order, ids []uuid.UUID) (int, error)
	// LockDelivery keeps others from changing a delivery until the transaction ends; errs.NotFound when there is none.
	LockDelivery(ctx context.Context, id uuid.UUID) (Delivery, error)
	// RequeueDelivery puts it back to its first attempt and makes a job of this round run now. It is false, and nothing has changed,
	// when there is such a job, unless hurry: then one that waits for its time is brought forward.
	RequeueDelivery(ctx context.Context, d Delivery, actor string, hurry bool) (bool, error)

	// StartAttempt counts an attempt; errs.NotFound when there is nothing to send any more.
	StartAttempt(ctx context.Context, id uuid.UUID) (Delivery, error)
	// FinishAttempt writes how it ended, unless another attempt has begun meanwhile.
	FinishAttempt(ctx context.Context, r Result, detail string) (bool, error)
	PublishDeliveryFailed(ctx context.Context, data api.DeliveryFailedData) error

	Recipient(ctx context.Context, id uuid.UUID) (recipients.Recipient, error)
	Preferences(ctx context.Context, recipient uuid.UUID) ([]preferences.Choice, int64, error)
	// SendText is the title and the text of a send.
	SendText(ctx context.Context, id uuid.UUID) (title, body string, err error)
}

func errNotFound(cause error) error {
	return errs.New(errs.NotFound, "delivery_not_found", "There is no such delivery.").WithCause(cause)
}
