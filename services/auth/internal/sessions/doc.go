// Package sessions owns signing in and out: how a session starts, how its refresh tokens rotate, and how it ends.
//
// A refresh token works once. What happens to one that is presented follows from what is stored of it and of its successor, judged while
// the session is locked, so that requests of one session come one after the other:
//
//	            ┌────────┐ presented: rotates       ┌──────────────────────┐
//	login ────► │ unused │ ───────────────────────► │ used, and            │ ──┐ presented within the grace:
//	            └────────┘ its successor is unused  │ its successor unused │ ◄─┘ repeats, the same successor
//	                ▲                               └──────────────────────┘
//	                └── the successor begins here     │ successor       │ presented after the grace
//	                                                  │ presented       ▼
//	                                                  ▼               ┌─────────────────────────────┐
//	                               ┌─────────────────────┐ presented  │ stolen: the session ends,   │
//	                               │ used, and           │ ─────────► │ nothing of it works any     │
//	                               │ its successor, too  │ any time   │ more, the person is told    │
//	                               └─────────────────────┘            └─────────────────────────────┘
//
// The races:
//   - Two tabs, or a client that retries after a timeout, present the same token: both get the same successor, and one line goes on.
//   - An answer is lost: the client presents the parent again. Nobody used the successor, so it is given again, for a minute.
//   - A thief has the parent, the victim uses the successor: the thief's next request is reuse, however quick it is.
//   - A thief presents the parent first, or within the grace: thief and victim hold the same successor. The first of them to use it leaves the
//     other with a used token, and their successors part: whoever comes after that successor was used, or after the grace, ends the session.
//
// At any time at most one token of a session is unused. A session ends when it was not used for RefreshTTL, and in any case MaxAge after
// it began; no token of it, access tokens included, outlives it.
//
// Signing in answers alike, and works as long, whether the address is unknown, the password wrong or the account disabled.
package sessions
