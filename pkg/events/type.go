package events

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Type is a versioned kind of event with the shape of its data, declared once in the producer's api package:
//
//	var UserDeactivated = events.Define[UserDeactivatedData]("users.user.deactivated.v1")
type Type[T any] struct{ Name string }

var typeName = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+\.v[1-9][0-9]*$`)

// Define declares a type of event. The name is service.noun.verb.vN in lower case; another form is a mistake of the program and panics.
func Define[T any](name string) Type[T] {
	if !typeName.MatchString(name) {
		panic(fmt.Sprintf("events: %q is not service.noun.verb.vN", name))
	}
	return Type[T]{Name: name}
}

// Event is what a handler receives.
type Event[T any] struct {
	ID      uuid.UUID // of the event, UUIDv7; the same at every delivery
	Type    string    // users.user.deactivated.v1
	Source  string    // the producer: /atrium/users
	Subject string    // the id of the aggregate that changed; events of one subject arrive in order
	Time    time.Time // when it was published, by the producer's clock
	OrgID   string    // the tenant
	Actor   string    // the subject of who caused it; "system" when nobody signed in did
	Data    T
}

const (
	subjectPrefix = "events."
	sourcePrefix  = "/atrium/"
	actorSystem   = "system"
	orgDefault    = "default"
)

// SubjectOf is the NATS subject of a type: events.users.user.deactivated.v1.
func SubjectOf(typeName string) string { return subjectPrefix + typeName }

// StreamOf is the JetStream stream of a type, its first segment in capitals: USERS.
func StreamOf(typeName string) string { return strings.ToUpper(prefixOf(typeName)) }

func prefixOf(typeName string) string {
	prefix, _, _ := strings.Cut(typeName, ".")
	return prefix
}
