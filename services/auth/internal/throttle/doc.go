// Package throttle owns how failed sign-ins slow down, without letting a stranger lock a person out.
//
// Failures are counted three ways, under keyed hashes, and forgotten one by one as time passes:
//
//	pair     this address for this account   5 failures are free, then a wait that doubles
//	address  this address for any account    20 are free: it tries one password with many accounts
//	account  this account from any address   never blocks; while it is high, the first failure of each new address counts at once
//
// So a stranger can make only his own address wait. What he does to the account as a whole costs the person nothing but the free typos at
// an address that was never signed in from: the first attempt from any address is always tried, and an address that the account was
// signed in from before is judged by its own pair alone.
//
// An attempt is counted when it begins, in one transaction, and taken back when the password was right: a thousand attempts at the same
// time are not a thousand free ones. An attempt that is refused is not counted, so that Retry-After is true.
//
// Whoever brings a link that was mailed to the account, and a password with it, is counted apart, per account and address: failed sign-ins do
// not keep the owner from proving the mailbox. When such a link is used up, the failures of its address are forgotten.
//
// A refusal is told to the audit trail with its source, once for each block.
//
// An account that does not exist is counted in the same way, so that nothing is learned from it.
package throttle
