package op

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atrium-mesh/atrium/pkg/authz"
)

// Op declares an operation: its contract on HTTP and NATS, who may call it, and how long it may take. I and O are huma input and
// output structs (tags path, query, header; Body). It is a value: nothing changes it after it was declared.
type Op[I, O any] struct {
	huma.Operation
	Subject    string        // NATS subject, "rpc.users.get-user"; empty: not on NATS
	Allow      authz.Policy  // mandatory: a missing policy panics when the operation is handled
	Timeout    time.Duration // the longest it may run; zero: [DefaultTimeout]
	Limit      Limit         // which rate limit the gateway counts it against; zero: [LimitAPI]
	Deprecated *Deprecation  // nil: it is here to stay
	Stream     bool          // WebSocket or SSE: proxied without a deadline
	Quiet      bool          // the mesh asks this all the time: no span, and a log line at debug level
}

// DefaultTimeout bounds an operation that says nothing of its own.
const DefaultTimeout = 5 * time.Second

// Limit names the rate limit that an operation is counted against, once, at the gateway.
type Limit string

// The limits. Their sizes are the gateway's configuration.
const (
	LimitAPI    Limit = ""        // by user (by address when nobody is signed in)
	LimitSignIn Limit = "sign-in" // by address
	LimitSignUp Limit = "sign-up" // by address
	LimitNone   Limit = "none"
)

// Deprecation tells clients to leave an operation: the Deprecation (RFC 9745) and Sunset (RFC 8594) fields of its answers.
type Deprecation struct {
	Since  time.Time // since when it is deprecated
	Sunset time.Time // when it will stop; zero: not yet decided
	Link   string    // where to read what to use instead
}

// Meta is what can be said of an operation without its types.
type Meta struct {
	ID         string
	Method     string
	Path       string // template, "/api/v1/users/{id}"; empty: internal
	Subject    string
	Summary    string
	Allow      authz.Policy
	Timeout    time.Duration
	Limit      Limit
	Deprecated *Deprecation
	Stream     bool
	Quiet      bool
	MaxBody    int64    // bytes; zero: the transport's default
	ReadOnly   bool     // GET or HEAD: safe to repeat (RFC 9110 section 9.2.1)
	Cookies    []string // names of those that its request has fields for
}

// Declared is an operation without its types, as lists of them hold it. Only [Op] is one.
type Declared interface {
	Meta() Meta
	document(api huma.API)
}

// Meta says what can be said without the types.
func (o Op[I, O]) Meta() Meta {
	timeout := o.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	return Meta{
		ID:         o.OperationID,
		Method:     o.Method,
		Path:       o.Path,
		Subject:    o.Subject,
		Summary:    o.Summary,
		Allow:      o.Allow,
		Timeout:    timeout,
		Limit:      o.Limit,
		Deprecated: o.Deprecated,
		Stream:     o.Stream,
		Quiet:      o.Quiet,
		MaxBody:    o.maxBody(),
		ReadOnly:   o.Method == "GET" || o.Method == "HEAD",
		Cookies:    cookiesOf(reflect.TypeFor[I]()),
	}
}

// mustBeComplete panics when the declaration lacks something that has no safe default. It runs at start.
func (o Op[I, O]) mustBeComplete() {
	switch {
	case o.OperationID == "":
		panic("op: an operation has no OperationID: " + o.Method + " " + o.Path + o.Subject)
	case o.Allow.IsZero():
		panic("op: " + o.OperationID + " has no policy: set Allow")
	case o.Path == "" && o.Subject == "":
		panic("op: " + o.OperationID + " has neither a Path nor a Subject")
	case o.Path != "" && o.Allow.IsInternal():
		panic("op: " + o.OperationID + " is for services only and must not have a Path")
	case o.Path != "" && o.Summary == "":
		panic("op: " + o.OperationID + " has no Summary")
	}
}

// PublicMaxBody is how many bytes a body may have, at most, that anybody may send, unless the operation says otherwise: reading and checking
// it costs less than the 5 ms of CPU that a stranger is given.
const PublicMaxBody = 16 << 10

func (o Op[I, O]) maxBody() int64 {
	if o.MaxBodyBytes == 0 && o.Allow.IsPublic() {
		return PublicMaxBody
	}
	return o.MaxBodyBytes
}

// clone is a copy whose huma operation can be registered, which fills in its maps.
func (o Op[I, O]) clone() huma.Operation {
	h := o.Operation
	h.Responses = maps.Clone(h.Responses)
	h.Errors = slices.Clone(h.Errors)
	h.Metadata = maps.Clone(h.Metadata)
	h.MaxBodyBytes = o.maxBody()
	return h
}

// Compare orders operations so that a router that takes the first match finds literal segments before parameters:
// /users/me stands before /users/{id}.
func Compare(a, b Meta) int {
	as, bs := strings.Split(a.Path, "/"), strings.Split(b.Path, "/")
	for i := range min(len(as), len(bs)) {
		ap, bp := strings.HasPrefix(as[i], "{"), strings.HasPrefix(bs[i], "{")
		switch {
		case ap != bp && ap:
			return 1
		case ap != bp:
			return -1
		case as[i] != bs[i] && !ap:
			return strings.Compare(as[i], bs[i])
		}
	}
	if d := len(as) - len(bs); d != 0 {
		return d
	}
	return strings.Compare(a.Method, b.Method)
}
