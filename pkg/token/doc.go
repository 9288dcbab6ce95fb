// Package token owns the verification of access tokens: is this one of ours (or of an issuer we were told to trust), is it still
// good, and whom does it speak for.
//
//	raw ──► precheck ──► cache ──► keys ──► go-oidc ──► principal ──► cache ──► watermarks ──► *authz.Principal
//	        no network,  sha256,   JWKS,    signature,  claims of                every time,
//	        no crypto    until     capped   iss, aud,   the issuer               also after
//	                     exp       fetches  exp                                  a cache hit
//
// [Verifier] refuses by size, form, alg, typ, iss, aud and time before any signature is checked and before any key is fetched, so that
// garbage costs microseconds and no request. Keys are cached: a token whose key is known verifies while the JWKS endpoint is down,
// and unknown key ids cause at most one fetch every five seconds for an issuer.
//
// Revocation is a [Watermark]: tokens of a user or of a session that were issued before an instant are void. [Watermarks] holds them
// for as long as such a token could live, which bounds its memory. [Follower] fills it in two ways: a core NATS subscription, which is
// fast and may lose messages, and a poll of auth's list, which is slow and misses nothing.
//
// When the poll fails, verification goes on with what is known, since refusing everybody would turn an outage of auth into one of
// everything. It is said, not hidden: in the gauge atrium.token.watermarks.staleness, and in readiness after fifteen seconds.
package token
