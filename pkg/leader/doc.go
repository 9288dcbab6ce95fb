// Package leader lets one of a service's replicas do what only one may do at a time.
//
// The leader is who holds a session advisory lock of PostgreSQL, on a connection of its own. There is no lease and no clock: the lock
// goes when the session goes. Work that must never be done by two at once runs its SQL on that very session (Session.Do), so
// that who has lost the lock cannot commit.
//
//	poll (1 s) ──lock taken──▶ lead ──session lost, or lead returns──▶ pause ──▶ poll
package leader
