// Package errs owns Atrium's errors: what went wrong (a [Kind]), what may be said about it (a stable code, a safe message, field
// errors, how long to wait), and how that is told to a client (RFC 9457 problem details, [WriteProblem]).
//
// A kind is itself an error, so that errors.Is(err, errs.NotFound) holds wherever the error has travelled: the kind and everything
// safe goes through NATS reply headers ([Encode], [Decode]) and comes out the same two hops away.
//
//	domain: errs.New(errs.NotFound, "user_not_found", "There is no such user.")
//	   │ wrapped with %w once a layer
//	   ├── HTTP: WriteProblem → 404 application/problem+json
//	   ├── NATS: Encode → headers → Decode in the caller
//	   └── event consumer: KindOf(err).Retryable() → redeliver or dead letter
//
// The cause of an error is for logs only: no text of an untyped error ever reaches a caller.
package errs
