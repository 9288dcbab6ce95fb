// Package setup owns how the first administrator comes to be: from the configuration, or by a one-time link. There is never a default
// password.
//
// Both are possible only while no administrator can sign in, which is decided under the lock of the role: of two replicas, or two people
// with the link, one makes the administrator. Whoever operates Atrium gets the link over NATS (rpc.auth.setup-link); it is in no log.
package setup
