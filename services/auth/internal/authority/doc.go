// Package authority owns the one rule for acting on another account, and every operation that does so asks it: whoever acts on an account
// holds every permission that the account holds, and somebody who can sign in remains an administrator.
//
//	principal ──▶ lock both accounts, by id ──▶ roles of both ──▶ Decide ──▶ lock the role admin ──▶ is there another one?
//
// The token says what its holder might do when it was signed, the database what they may do now: only what both say counts. No caller means
// no. Acting on oneself is acting on an equal.
//
// The locks make the answer true until the transaction ends. The roles of an account, and the permissions of its roles, change only under
// the lock of the account (see package identity); accounts are locked in the order of their ids, so that two people who act on each other
// come one after the other and never wait for each other; and the lock of the role admin makes all that could take the last administrator
// away come one after the other, whoever it is about. A role that is given has no members to lock: whoever gives it holds the role itself,
// after the accounts.
package authority
