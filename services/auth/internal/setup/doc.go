// Package setup owns how the first administrator comes to be: from the configuration, or by a one-time link. There is never a default
// password.
//
// Both are possible only while nobody has the role of administrators, however the account stands, which is decided under the lock of the
// role: of two replicas, or two people with the link, one makes the administrator. Once there is one, package authority sees to it that one
// who can sign in remains. Only a program that runs auth in its own process, as `atrium up` does, is told the link; it is in no log and no
// network leads to it.
package setup
