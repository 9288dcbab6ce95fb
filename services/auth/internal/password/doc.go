// Package password owns how passwords are chosen, hashed and verified.
//
// A password is normalized (NFKC, NIST SP 800-63B section 3.1.1.2) so that it is the same on every keyboard, and hashed with argon2id
// (RFC 9106) into a PHC string. [Hasher] also verifies hashes that came from elsewhere: argon2id of other parameters, and bcrypt. Such
// a hash is replaced at the next sign-in, which [Result.NeedsRehash] asks for.
//
// Hashing is expensive on purpose, so it is bounded: as many at a time as there are CPUs, a short queue behind them, and then a refusal
// that says when to come again. Whoever has no account costs as much as somebody who has one.
package password
