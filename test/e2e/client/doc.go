// Package client owns how a test speaks to Atrium: as any client would, over HTTP, WebSocket and server-sent events at the gateway, and
// as a person who reads mail. It knows the contract only: paths, JSON and problem answers.
package client
