// Package events carries what happened in one service to the others: committed once, delivered in order, once in effect.
//
//	producer                                       JetStream             consumer
//	┌ transaction ────────────┐                    ┌──────────────┐      ┌ transaction ───────────┐
//	│ change                  │                    │ USERS        │      │ inbox  (event's id)    │
//	│ outbox row  (Publish)   │─▶ relay (leader) ─▶│ events.users.│─────▶│ effect (handler)       │─▶ ack
//	└─────────────────────────┘   marks published  └──────────────┘      └────────────────────────┘
//
// # Once in effect
//
// An event exists when, and only when, its transaction commits. The relay publishes it at least once, and marks it after
// JetStream has acknowledged it; whatever is killed between, it is published again. The consumer writes the event's id into its
// inbox in the transaction of the effect, so that a second delivery does nothing. Nothing depends on JetStream's own memory of
// ids, which is two minutes long, nor on JetStream keeping its data: rows stay in the outbox for seven days, and when the relay finds
// that the stream is another one, or has fewer events than were acknowledged, it publishes all of them again. Replay does
// the same by hand. Inbox rows live longer (30 days) than an event can come again.
//
// # Order
//
// Events are handled in the order of the outbox, one after the other for each consumer and stream; those that have arrived together
// share a transaction, unless one of them fails: then each has its own. The order of the outbox is that of
// commits only where those exclude each other, which changes of one aggregate do, since they lock its row: so the events of one
// subject arrive in order, and no more is promised. It is kept by:
//   - one relay and one consumer of a stream among all replicas (package leader), whose SQL runs on the session that holds
//     the lock, so that a former leader cannot commit; the price is that replicas stand by and do not share the work;
//   - each message naming the sequence of the one before it, so that JetStream refuses what would overtake a lost one;
//   - retrying in place: an event that cannot be handled now holds up those behind it;
//   - a new leader resetting the durable consumer to what has been acknowledged, and any gap in the deliveries doing the same.
//
// # Failure
//
// The kind of a handler's error decides (see On). What can never succeed becomes a dead letter: a row that ListDeadLetters
// shows and ReplayDeadLetters gives back to the handlers. Later events of the subject do not wait for it. Being away (of
// PostgreSQL, or of what a handler reports as Unavailable) never makes a dead letter, however long it takes.
//
// # What is not covered
//
// A handler for a type that the service did not handle before sees what is published from then on, and during a rolling update the old
// replicas may still be leading. Where the past matters, ask for a Replay in the producer after the update.
package events
