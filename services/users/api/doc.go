// Package api is the contract of the users service: its operations, their types, and the events it publishes. It is the only
// package of this service that others import.
package api
