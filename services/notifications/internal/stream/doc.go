// Package stream owns the live stream: a person's notifications over a WebSocket or as server-sent events, the moment they are made, at
// whichever replica the person is connected.
//
//	change committed ──► Announce ──► NATS live.notifications.<recipient> ──► Hub at each replica ──► wakes the person's streams
//	                                                                                                         │
//	                                                     table of notifications  ◄── everything after seq ───┘
//
// A wake-up says nothing but that there is something: a stream reads the table from the number it has sent last, so that it sends
// everything once and in order, however many wake-ups were lost or doubled. It also looks when it sends its heartbeat, so that a stream
// that hears nothing of NATS is 20 seconds late at worst.
package stream
