package password

// Occupy takes one slot of h until release is called.
func Occupy(h *Hasher) (release func()) {
	h.queue <- struct{}{}
	h.slots <- struct{}{}
	return func() { <-h.slots; <-h.queue }
}

// Queued is how many compute or wait.
func Queued(h *Hasher) int { return len(h.queue) }
