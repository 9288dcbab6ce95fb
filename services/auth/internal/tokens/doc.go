// Package tokens owns what auth's tokens look like.
//
// An access token is a JWT (RFC 9068). The time in its id (jti, a UUIDv7) is the instant, to the millisecond, that revocations are
// compared with; [Instant] keeps that from being older than a revocation that the token must survive.
//
// A refresh token is 48 random bytes in base64url: its id and a secret. Only its hash is stored. The secret of a successor is derived
// from its parent, so that whoever presents the parent again within the grace can be given the very same successor:
//
//	first:     id ‖ random
//	successor: id ‖ HMAC(key, parent ‖ id)
package tokens
