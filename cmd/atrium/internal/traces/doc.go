// Package traces owns the last traces of local mode: a bounded store that takes spans as an OpenTelemetry exporter, and
// the pages at /dev/traces that show them, so that a newcomer sees a sign-up travel from the gateway to the SMTP server.
//
//	GET /dev/traces?q=sign          a list; without all=1 only traces that began with a request
//	GET /dev/traces/{trace-id}      one trace as a waterfall
//	GET /dev/traces.json            {"items": [summary, ...]}, newest first, also filtered by q and all
//	GET /dev/traces/{trace-id}.json one trace: {"id", "spans": [...]}, spans in order of their start
package traces
