// Package accounts owns an account's way through life: it is registered or invited, verified, and gets another password when the person
// wants one, forgot it, or says that somebody else was there.
//
// Where an answer must not tell whether there is an account, it is the same in any case, and comes after the same time.
package accounts
