package mesh

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/atrium-mesh/atrium/pkg/health"
)

const (
	readyWithin = time.Minute
	stopWithin  = 30 * time.Second
	pollEvery   = 10 * time.Millisecond
)

// Process is one program of a mesh. Its methods are safe for concurrent use.
type Process struct {
	Name  string
	URL   string // of what it serves
	Admin string // of /livez, /readyz and /metrics; "" when it has none

	t       testing.TB
	command []string
	env     []string
	log     string // path

	mu       sync.Mutex
	running  *exec.Cmd
	ended    chan struct{}
	expected bool // that it ends
	asked    bool // to end, so that it must do so well
}

func (p *Process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running != nil {
		return fmt.Errorf("%s runs already", p.Name)
	}
	output, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the log of %s: %w", p.Name, err)
	}
	command := exec.Command(p.command[0], p.command[1:]...) //nolint:noctx // our own programs, ended by Kill or Stop
	command.Env, command.Stdout, command.Stderr, command.SysProcAttr = p.env, output, output, child()
	command.Dir = filepath.Dir(p.log)
	started, ended := make(chan error), make(chan struct{})
	go p.run(command, output, started, ended)
	if err := <-started; err != nil {
		return fmt.Errorf("start %s: %w", p.Name, err)
	}
	p.running, p.ended, p.expected, p.asked = command, ended, false, false
	return nil
}

// run starts the process on a thread that lives as long as it does: its parent, as Linux sees it, is that thread.
func (p *Process) run(command *exec.Cmd, output *os.File, started chan<- error, ended chan<- struct{}) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer func() { _ = output.Close() }() // the process has written it all
	err := command.Start()
	started <- err
	if err != nil {
		return
	}
	err = command.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !p.expected:
		p.t.Errorf("%s ended by itself: %v\n%s", p.Name, err, p.tail())
	case p.asked && err != nil:
		p.t.Errorf("%s was asked to end: %v\n%s", p.Name, err, p.tail())
	}
	p.running = nil
	close(ended)
}

// Start starts it again, at the same addresses, and returns before it is ready.
func (p *Process) Start() {
	p.t.Helper()
	if err := p.start(); err != nil {
		p.t.Fatal(err)
	}
}

// Kill ends it at once, as kill -9 does.
func (p *Process) Kill() { p.end(syscall.SIGKILL) }

// Stop asks it to end, as a cluster does, and fails the test when it does not end in time.
func (p *Process) Stop() { p.end(syscall.SIGTERM) }

// Pause freezes it: connections to it stay open and nothing is answered, as when a machine hangs. Resume thaws it.
func (p *Process) Pause() {
	p.t.Helper()
	p.signal(syscall.SIGSTOP)
	for deadline := time.Now().Add(stopWithin); !p.paused(); <-time.After(pollEvery) { // a signal takes effect a moment after it was sent
		if time.Now().After(deadline) {
			p.t.Fatalf("%s is not paused after %v", p.Name, stopWithin)
		}
	}
}

// paused reports whether every thread of the process has stopped. Where there is no /proc it is taken for granted.
func (p *Process) paused() bool {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", p.Pid()))
	if err != nil || len(threads) == 0 {
		return true
	}
	for _, thread := range threads {
		raw, err := os.ReadFile(thread)
		if _, state, ok := strings.Cut(string(raw), ") "); err == nil && ok && !strings.HasPrefix(state, "T") {
			return false
		}
	}
	return true
}

// Resume lets a paused process go on.
func (p *Process) Resume() { p.signal(syscall.SIGCONT) }

func (p *Process) signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running != nil {
		_ = p.running.Process.Signal(s) // ended meanwhile: run reports it
	}
}

func (p *Process) end(s syscall.Signal) {
	p.t.Helper()
	p.mu.Lock()
	command, ended := p.running, p.ended
	p.expected, p.asked = true, s == syscall.SIGTERM
	p.mu.Unlock()
	if command == nil {
		return
	}
	_ = command.Process.Signal(s) // ended meanwhile: that is what is wanted
	select {
	case <-ended:
	case <-time.After(stopWithin):
		_ = command.Process.Kill()
		<-ended
		p.t.Errorf("%s did not end within %v\n%s", p.Name, stopWithin, p.tail())
	}
}

// Pid is the process's id; 0 when there is none.
func (p *Process) Pid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running == nil {
		return 0
	}
	return p.running.Process.Pid
}

// Running reports whether there is a process.
func (p *Process) Running() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.running != nil
}

// WaitReady returns when the process says that it is ready.
func (p *Process) WaitReady() {
	p.t.Helper()
	p.waitUntil("ready", func(r *health.Report) bool { return r != nil && r.Status == health.OK })
}

// WaitUnready returns when the process says that it is not ready because of check.
func (p *Process) WaitUnready(check string) {
	p.t.Helper()
	p.waitUntil("unready: "+check, func(r *health.Report) bool { return r != nil && slices.Contains(failing(r), check) })
}

func (p *Process) waitUntil(what string, done func(*health.Report) bool) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), readyWithin)
	defer cancel()
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		report, err := p.ready(ctx)
		if err == nil && done(report) {
			return
		}
		select {
		case <-ctx.Done():
			p.t.Fatalf("%s is not %s after %v: %v, failing: %v\n%s", p.Name, what, readyWithin, err, failing(report), p.tail())
		case <-ticker.C:
		}
	}
}

func (p *Process) ready(ctx context.Context) (*health.Report, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.Admin+"/readyz", nil)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	report := new(health.Report)
	return report, json.NewDecoder(response.Body).Decode(report)
}

func failing(report *health.Report) []string {
	var names []string
	if report == nil {
		return nil
	}
	for name, check := range report.Checks {
		if check.Status != health.OK {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

const tailLines = 40

// tail is the end of the log, for a failure.
func (p *Process) tail() string {
	lines := strings.Split(strings.TrimSpace(p.Log()), "\n")
	if len(lines) > tailLines {
		lines = lines[len(lines)-tailLines:]
	}
	return "── " + p.Name + " ──\n" + strings.Join(lines, "\n")
}

// Log is everything that the process has written so far, over all its starts.
func (p *Process) Log() string {
	raw, err := os.ReadFile(p.log)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err.Error()
	}
	return string(raw)
}
