// Package store owns all SQL of auth. The schema (migrations/*.sql) is the model; queries/*.sql become package db with sqlc, which is
// never edited.
//
// A [Store] runs queries one by one, a [Tx] in one transaction with the events that tell of them ([Publish]). The errors of both have
// been through pg.Err: errs.NotFound for no row, errs.Conflict for a violated unique constraint ([Violates]), and so on.
//
// Locks are taken in one order: account, session, then anything else. Who changes what an account may do takes [Tx.LockAccount]
// first; who issues a token takes [Tx.ShareAccount]. So no token is issued from what is about to change.
package store
