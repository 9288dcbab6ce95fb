// Package crowd owns people who use Atrium while something happens to it: each signs in, refreshes tokens, reads, writes and listens, all
// the time, and everything that goes wrong for one of them is counted by what was happening then.
//
// The load is bounded: a fixed number of people, each with a pause between two requests, for as long as the test runs.
package crowd
