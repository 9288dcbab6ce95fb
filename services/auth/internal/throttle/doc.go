// Package throttle owns how failed sign-ins slow down, without letting a stranger lock a person out.
//
// Failures are counted four ways, under keyed hashes, and forgotten one by one as time passes:
//
//	pair     this address for this account   5 failures are free, then a wait that doubles
//	address  this address for any account    20 are free: it tries one password with many accounts
//	account  this account from any address   never blocks; while it is high, the first failure of each new address counts at once
//	known    a pair that was signed in before, while the others refuse it: 5 are free, then a wait that doubles
//
// So a stranger can make only his own address wait. What he does to the account as a whole costs the person nothing but the free typos: the
// first attempt from any address is always tried. An address that the account was signed in from before is tried also while the other
// counts refuse it, so that whoever shares it, behind one router, does not keep the person out.
//
// Nothing is learned from that: a wrong password is answered then as the attempt of any other account is there, which nobody tried, and is
// counted as that one is. The right one signs in. Whoever answers sees to the time, since a password that is tried takes longer.
//
// An attempt is counted when it begins, in one transaction, and taken back when the password was right: a thousand attempts at the same
// time are not a thousand free ones. An attempt that is refused is not counted, so that Retry-After is true.
//
// Whoever is signed in and proves to be there is judged by the pair alone, where the address is known.
//
// Whoever brings a link that was mailed to the account, and a password with it, is counted apart, per account and address: failed sign-ins do
// not keep the owner from proving the mailbox. When such a link is used up, the failures of its address are forgotten.
//
// A refusal is told to the audit trail with its source, once for each block.
//
// An account that does not exist is counted in the same way, so that nothing is learned from it.
package throttle
