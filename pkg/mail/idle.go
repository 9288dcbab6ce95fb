package mail

import (
	"sync"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

const (
	idleFor  = 30 * time.Second // servers close idle connections after some minutes, many sooner
	idleMost = 16
	mailsPer = 100 // many servers want a new connection now and then
)

// conn is a connection to the server, past its greeting and sign-in.
type conn struct {
	smtp  *smtp.Client
	mails int
	timer *time.Timer
}

// idle keeps the connections that are not in use.
type idle struct {
	quit func(*smtp.Client) error

	mu     sync.Mutex
	conns  []*conn // the last one is the one used last
	closed bool
}

func newIdle(quit func(*smtp.Client) error) *idle { return &idle{quit: quit} }

// take returns the connection that was used last, or nil.
func (i *idle) take() *conn {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.conns) == 0 {
		return nil
	}
	c := i.conns[len(i.conns)-1]
	i.conns = i.conns[:len(i.conns)-1]
	c.timer.Stop()
	return c
}

// put keeps a connection for the next mail, or closes it when it has done enough.
func (i *idle) put(c *conn) {
	c.mails++
	if !i.keep(c) {
		i.drop(c)
	}
}

func (i *idle) keep(c *conn) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed || c.mails >= mailsPer || len(i.conns) >= idleMost {
		return false
	}
	c.timer = time.AfterFunc(idleFor, func() { i.expire(c) })
	i.conns = append(i.conns, c)
	return true
}

func (i *idle) expire(c *conn) {
	i.mu.Lock()
	found := false
	for n, other := range i.conns {
		if other == c {
			i.conns = append(i.conns[:n], i.conns[n+1:]...)
			found = true
			break
		}
	}
	i.mu.Unlock()
	if found { // otherwise it has just been taken
		i.drop(c)
	}
}

// drop says goodbye. The server may have hung up already.
func (i *idle) drop(c *conn) {
	_ = i.quit(c.smtp)
	_ = c.smtp.Close()
}

func (i *idle) close() {
	i.mu.Lock()
	conns := i.conns
	i.conns, i.closed = nil, true
	i.mu.Unlock()
	for _, c := range conns {
		c.timer.Stop()
		i.drop(c)
	}
}
