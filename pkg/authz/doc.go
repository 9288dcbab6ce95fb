// Package authz owns who is calling ([Principal]) and what may be called ([Policy]). A policy is a pure value on an operation: the
// gateway and the service check the same one, the API reference prints it, and a test tries every operation against it.
//
// Roles become permissions when auth signs a token; the token carries both, so that no service has to ask.
package authz
