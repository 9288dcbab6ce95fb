// Package worsttest makes the dearest requests that anybody may send to a server of operations, and measures what they cost. Each service with
// public operations has a test that sends them, which bounds work, and a benchmark, which tells CPU.
package worsttest
