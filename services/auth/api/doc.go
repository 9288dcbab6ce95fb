// Package api is what others may know of auth: its operations with their types, its events and the permissions that its tokens carry.
//
// Everything that a person does is on HTTP, through the gateway. The operations of internal.go are on NATS only, for other services.
package api
