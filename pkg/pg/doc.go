// Package pg owns what every service does with PostgreSQL: the pool, migrations under a lock, transactions that survive
// serialization failures, and the one mapping from driver errors to errs.
//
// The kit's own tables (outbox, inbox, dead_letters, idempotency_keys) are migrations of this package. Migrate runs them under
// their own version table before the service's.
package pg
