package events

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"

	"github.com/atrium-mesh/atrium/pkg/text"
)

// envelope is an event whose data is still JSON, with the trace it belongs to.
type envelope struct {
	ID      uuid.UUID
	Type    string
	Source  string
	Subject string
	Time    time.Time
	OrgID   string
	Actor   string
	Trace   map[string]string // traceparent, tracestate
	Data    []byte
}

// CloudEvents 1.0 in binary mode: https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/nats-protocol-binding.md
const (
	headerID          = "ce-id"
	headerType        = "ce-type"
	headerSource      = "ce-source"
	headerSubject     = "ce-subject"
	headerTime        = "ce-time"
	headerSpec        = "ce-specversion"
	headerContentType = "ce-datacontenttype"
	headerOrg         = "ce-orgid"
	headerActor       = "ce-actor"
	specVersion       = "1.0"
	contentJSON       = "application/json"
)

// traceHeaders are what a message carries of a trace (W3C Trace Context).
var traceHeaders = []string{"traceparent", "tracestate"}

func (e envelope) message() *nats.Msg {
	msg := nats.NewMsg(SubjectOf(e.Type))
	msg.Data = e.Data
	msg.Header = nats.Header{
		nats.MsgIdHdr:     {e.ID.String()},
		headerID:          {e.ID.String()},
		headerType:        {e.Type},
		headerSource:      {e.Source},
		headerSubject:     {e.Subject},
		headerTime:        {e.Time.UTC().Format(time.RFC3339Nano)},
		headerSpec:        {specVersion},
		headerContentType: {contentJSON},
		headerOrg:         {e.OrgID},
		headerActor:       {e.Actor},
	}
	for _, key := range slices.Sorted(maps.Keys(e.Trace)) {
		msg.Header[key] = []string{e.Trace[key]}
	}
	return msg
}

func parseMessage(header nats.Header, data []byte) (envelope, error) {
	get := func(key string) string { return storable(header.Get(key)) }
	e := envelope{
		Type: get(headerType), Source: get(headerSource), Subject: get(headerSubject), OrgID: get(headerOrg), Actor: get(headerActor),
		Trace: map[string]string{}, Data: data,
	}
	for _, key := range traceHeaders {
		if v := get(key); v != "" {
			e.Trace[key] = v
		}
	}
	var err error
	if e.ID, err = uuid.Parse(get(headerID)); err != nil {
		return e, fmt.Errorf("header %s: %w", headerID, err)
	}
	if e.Time, err = text.Time(get(headerTime)); err != nil {
		return e, fmt.Errorf("header %s: %w", headerTime, err)
	}
	if v := get(headerSpec); v != specVersion {
		return e, fmt.Errorf("header %s is %q, want %s", headerSpec, v, specVersion)
	}
	return e, nil
}

// storable drops what PostgreSQL cannot keep in a text, so that any message can at least become a dead letter.
func storable(raw string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(raw, "\uFFFD"), "\x00", "")
}
