// Package arch keeps the shape of the house: who may import whom, what may be linked into a program, that every
// service has the same rooms, and that all modules agree on their dependencies' versions.
//
// The rules are functions from what `go list` says to a list of violations, so that each rule is itself tested with a
// package that breaks it.
package arch
