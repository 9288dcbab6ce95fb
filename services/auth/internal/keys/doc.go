// Package keys owns the keys that sign tokens, and their publication.
//
// A key's life is three instants, set when it and its successor are made, so that every replica sees the same life without talking:
//
//	created ──────► activates ───────────────► retires ─────────────► removes
//	        published         published, signs         published only        gone
//	        KEY_PUBLISH_BEFORE        KEY_ROTATION     a token's life, and some
//
// Verifiers cache the key set for at most [CacheLifetime]. A key is published for longer than that before it signs, and after it signed
// its last token for longer than that token lives. So whatever copy a verifier has, the key is in it.
//
// The first key of an algorithm signs at once, since nobody can have a copy of a set that was not there. One replica rotates at a time, under
// a lock of the database; the others read the table every [reloadEvery].
//
// An administrator may have the next key made early ([Ring.Rotate]), which shortens the first key's time of signing and nothing else. A key
// that somebody stole is another matter: then every key goes at once, and a new one signs at once. Tokens of the old ones are refused as
// soon as a verifier has the new set, which it asks for when it sees the new key's first token; their owners refresh.
//
// Private keys are stored sealed with AES-256-GCM, whose key is derived from SECRET_KEY.
package keys
