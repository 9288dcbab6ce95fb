// Package identity owns the nouns of auth (account, role, session, refresh token, link) and the ports through which the domain keeps
// them. Package store implements the ports; the domain packages use them and know of no database.
//
//	accounts, sessions, … ──use──► identity.Store ◄──implements── store ──► sqlc, pgx
//
// A change is one transaction ([Store.InTx]): rows, the audit entry and the events that tell of it, or nothing.
//
// Locks are taken in one order: account, session, then anything else. Who changes what an account may do takes LockAccount first; who
// issues a token takes ShareAccount. So no token is issued from what is about to change.
package identity
