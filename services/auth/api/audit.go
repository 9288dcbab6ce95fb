package api

import (
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/page"
)

// AuditEntry is one thing that was done to an account, a session, a role or a signing key.
type AuditEntry struct {
	ID        string         `json:"id" format:"uuid" doc:"The entry's id" example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	At        time.Time      `json:"at" doc:"When it was done" example:"2026-01-02T15:04:05Z"`
	Action    string         `json:"action" doc:"What was done" example:"session.started"`
	Actor     string         `json:"actor" doc:"Who did it: an account's id, or system" example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	Subject   string         `json:"subject" doc:"To whom or what: an account's id, a role's name or a signing key's id" example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	Outcome   string         `json:"outcome" enum:"success,failure" doc:"Whether it was done or refused" example:"success"`
	IP        string         `json:"ip" doc:"From which address" example:"203.0.113.7"`
	Device    string         `json:"device" doc:"From which device" example:"Firefox on Linux"`
	RequestID string         `json:"request_id" doc:"In which request" example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	Details   map[string]any `json:"details,omitempty" doc:"More about it; never a secret"`
}

// AuditPage is a part of the audit trail.
type AuditPage = page.Page[AuditEntry]

// ListAuditRequest reads the audit trail.
type ListAuditRequest struct {
	page.Query
	Action  string    `query:"action" maxLength:"100" doc:"Only this action" example:"session.started"`
	Actor   string    `query:"actor" maxLength:"100" doc:"Only what this account did" example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	Subject string    `query:"subject" maxLength:"100" doc:"Only what was done to this account or role" example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	Outcome string    `query:"outcome" enum:"success,failure" doc:"Only what was done, or only what was refused" example:"failure"`
	From    time.Time `query:"from" doc:"Only from this time on" example:"2026-01-01T00:00:00Z"`
	To      time.Time `query:"to" doc:"Only before this time" example:"2026-02-01T00:00:00Z"`
}

// AuditResponse is a part of the audit trail.
type AuditResponse struct{ Body AuditPage }

// ListAudit reads the audit trail.
var ListAudit = op.Op[ListAuditRequest, AuditResponse]{
	Operation: huma.Operation{
		OperationID: "list-audit", Method: http.MethodGet, Path: "/api/v1/audit", Tags: []string{"Audit"},
		Summary: "Read the audit trail", Errors: []int{http.StatusBadRequest},
		Description: "What was done to accounts, sessions, roles and signing keys, the latest first. `total` counts no further than 50,000, nor does `pages`; " +
			"`next_cursor` leads to the end.",
	},
	Allow: authz.Require(PermAuditRead),
}
