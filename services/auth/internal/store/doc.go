// Package store owns all SQL of auth. The schema (migrations/*.sql) is the model; queries/*.sql become package db with sqlc, which is
// never edited.
//
// It implements the ports of the domain: those of package identity, and those that other domain packages declare for themselves. The
// domain does not import this package (test/arch), so that a file here may import any of it.
//
// A [Store] runs queries one by one, a [Tx] in one transaction with the events that tell of them. The errors of both have been through
// pg.Err: errs.NotFound for no row, errs.Conflict for a violated unique constraint, and so on.
package store
