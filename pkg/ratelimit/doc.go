// Package ratelimit owns how often something may be done: "5/1m" is five times in any minute, not about five and not five for each
// minute of the clock.
//
// It keeps the log of what was allowed in a sliding window: each thing allowed leaves the window one period later, and until then it
// counts. At no time have more than the limit been allowed within a period, and in a fresh window exactly the limit is. Things
// that are refused do not count, so that a stranger who keeps trying prolongs nothing.
//
//	          ├────────────── 1m ──────────────┤
//	──●───────●──●──●────────────●─────────────x────► time      5/1m: the x is refused until the second ● leaves
//
// The log of a small limit is exact to the millisecond. That of a limit over sixty is kept in sixty slots of the period, each counted
// until its end, so that an entry may stay a sixtieth longer: memory is bounded and the promise above holds.
//
// [Memory] counts in the process, [Redis] for all replicas together, in one atomic script and by the server's clock. While Redis is
// away a Redis limiter counts in the process, where it has counted along; it says so in a metric and, once a minute, in the log.
//
// Keys are hashed before they are kept: no address and no id is in memory dumps or in Redis, and a long key costs no more than a short
// one.
package ratelimit
