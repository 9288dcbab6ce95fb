// Package inbox owns the mail of local mode: an SMTP server on loopback that accepts every mail and delivers
// none, the folder it keeps them in, and the page and the API at /dev/inbox where people and tests read them.
//
//	services ──SMTP──▶ Server ──▶ Store (memory + messages.jsonl) ──▶ Handler ──▶ /dev/inbox
//
// The API:
//
//	GET    /dev/inbox/messages?to=ada@example.com&since=<id>&wait=10s   {"items": [...]}, newest last
//	GET    /dev/inbox/messages/{id}                                     one message
//	GET    /dev/inbox/messages/{id}/html                                its HTML part, without scripts or remote content
//	DELETE /dev/inbox/messages                                          forgets all of them
//
// With wait, a list that would be empty waits for a message that matches, at most a minute, and answers an empty
// list when none came. Addresses match without regard to case. One item is one mail to one recipient, so that "to"
// is always a single address; a mail that is delivered again (same Message-ID, same recipient) is kept once.
package inbox
