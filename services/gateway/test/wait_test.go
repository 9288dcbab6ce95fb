package test

import "time"

// How long a test waits for what must come, and how often it looks.
const (
	within = 10 * time.Second
	tick   = 5 * time.Millisecond
)
