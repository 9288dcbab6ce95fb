package pglocal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	dataName     = "data"
	runName      = "run"
	logName      = "postgres.log"
	lockName     = "lock"
	passwordName = "password"

	// Superuser is the role that owns the server.
	Superuser = "postgres"

	defaultStartTimeout = time.Minute // recovery after a crash takes its time
	pollEvery           = 5 * time.Millisecond
	maxSocketPath       = 100 // of the 104 (macOS) or 108 bytes that an address holds
)

// ErrInUse means that another process runs a server on the folder.
var ErrInUse = errors.New("another process is using this database folder")

// Options say which server to start. Dir is required.
type Options struct {
	Dir          string            // holds everything; made when it is not there
	Binaries     Binaries          // zero: Find, and the data's own version where there is data
	Port         int               // also listen on 127.0.0.1, with a password; 0: only on a socket in a private folder
	Volatile     bool              // no fsync: for tests
	Ephemeral    bool              // remove Dir when the server has stopped; when this process is killed, at least what is in it
	Settings     map[string]string // of postgresql.conf, over the defaults
	StartTimeout time.Duration     // default 1 minute
	Logger       *slog.Logger      // nil: silent
}

// Server is a running PostgreSQL. It ends when nothing refers to it any more: keep it.
type Server struct {
	opts     Options
	dir      string // Options.Dir, or what it links to
	socket   string
	password string
	guard    *guard
	lock     *os.File
	pid      int

	stop    sync.Once
	watch   sync.Once
	done    chan struct{}
	stopErr error
}

// Start starts a server on a folder, making its data the first time, and returns once it accepts connections. It takes over after
// a crash: a server that was left is stopped, a stale pid file removed. ctx bounds the start only.
func Start(ctx context.Context, opts Options) (*Server, error) {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.StartTimeout <= 0 {
		opts.StartTimeout = defaultStartTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, opts.StartTimeout)
	defer cancel()

	dir, err := filepath.Abs(opts.Dir)
	if err != nil {
		return nil, fmt.Errorf("find the database's folder: %w", err)
	}
	if opts.Binaries, err = binariesFor(opts.Binaries, dir); err != nil { //nolint:contextcheck // bounds itself
		return nil, err
	}
	a, dir, err := accountFor(dir, opts.Binaries)
	if err != nil {
		return nil, err
	}
	s := &Server{opts: opts, dir: dir, done: make(chan struct{})}
	if err := s.prepare(ctx, a); err != nil {
		s.unlock()
		return nil, err
	}
	if err := s.launch(ctx, a); err != nil {
		s.unlock()
		return nil, err
	}
	opts.Logger.DebugContext(ctx, "PostgreSQL has started", "dir", dir, "version", opts.Binaries.Major, "pid", s.pid)
	return s, nil
}

// prepare makes the folders and the data, and clears away what a crash has left.
func (s *Server) prepare(ctx context.Context, a account) error {
	run := filepath.Join(s.dir, runName)
	for path, mode := range map[string]os.FileMode{s.dir: 0o755, run: 0o700} {
		if err := os.MkdirAll(path, mode); err != nil {
			return fmt.Errorf("make the database's folder: %w", err)
		}
	}
	if err := a.own(s.dir, run); err != nil {
		return err
	}
	var err error
	if s.lock, err = lockFile(filepath.Join(s.dir, lockName)); err != nil {
		return err
	}
	if s.password, err = password(filepath.Join(s.dir, passwordName), a); err != nil {
		return err
	}
	if s.socket, err = socketDir(run, a); err != nil {
		return err
	}
	if err := initialise(ctx, s.opts, a, s.dir); err != nil {
		return err
	}
	return clearLeftover(ctx, s.data(), s.opts.Logger)
}

func (s *Server) launch(ctx context.Context, a account) error {
	logFile, err := os.OpenFile(filepath.Join(s.dir, logName), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("open the database's log: %w", err)
	}
	defer func() { _ = logFile.Close() }()
	remove := ""
	if s.opts.Ephemeral {
		remove = s.dir
	}
	args := append([]string{s.opts.Binaries.path("postgres"), "-D", s.data()}, s.settings()...)
	if s.guard, err = startGuard(a, logFile, s.dir, remove, args); err != nil {
		return err
	}
	for {
		if pid, ready := status(s.data()); ready {
			s.pid = pid
			return nil
		}
		if s.guard.ended(pollEvery) {
			s.guard.release()
			return fmt.Errorf("PostgreSQL did not start: %s", s.lastLog())
		}
		if ctx.Err() != nil {
			s.guard.release() // closes the pipe: the guard stops the server
			return fmt.Errorf("PostgreSQL was not ready in time: %w: %s", ctx.Err(), s.lastLog())
		}
	}
}

// lastLog is what the server complained about last.
func (s *Server) lastLog() string {
	b, err := os.ReadFile(filepath.Join(s.dir, logName))
	if err != nil {
		return "its log is gone"
	}
	var text strings.Builder
	for line := range bytes.Lines(b) {
		if bytes.Contains(line, []byte("FATAL")) || bytes.Contains(line, []byte("ERROR")) || bytes.Contains(line, []byte("HINT")) {
			_, _ = text.Write(bytes.TrimSpace(line))
			_ = text.WriteByte(' ')
		}
	}
	if text.Len() == 0 {
		return lastLine(b)
	}
	return text.String()
}

// URL is the address of a database for the superuser. It stays the same when the folder's server is started again with the same
// options.
func (s *Server) URL(database string) string { return s.URLFor(Superuser, s.password, database) }

// URLFor is the address of a database for a role. On a socket the password is not asked for.
func (s *Server) URLFor(role, password, database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(role), Path: "/" + database}
	if s.opts.Port == 0 {
		u.RawQuery = url.Values{"host": {s.socket}}.Encode()
		return u.String()
	}
	u.User = url.UserPassword(role, password)
	u.Host = "127.0.0.1:" + strconv.Itoa(s.opts.Port)
	u.RawQuery = "sslmode=disable"
	return u.String()
}

// Dir is where the data is.
func (s *Server) Dir() string { return s.dir }

// PID is the process id of the postmaster.
func (s *Server) PID() int { return s.pid }

// Done is closed once the server has ended, by Stop or by itself.
func (s *Server) Done() <-chan struct{} {
	s.watch.Do(func() {
		go func() {
			for !s.guard.ended(time.Hour) {
			}
			close(s.done)
		}()
	})
	return s.done
}

// Stop ends open transactions and shuts the server down; when ctx is done first, it is stopped the hard way, from which it recovers at
// the next start. Stop can be called again.
func (s *Server) Stop(ctx context.Context) error {
	return s.end(ctx, syscall.SIGINT)
}

// Kill stops the server as a crash does.
func (s *Server) Kill() error { return s.end(context.Background(), syscall.SIGQUIT) }

func (s *Server) end(ctx context.Context, how syscall.Signal) error {
	s.stop.Do(func() {
		_ = syscall.Kill(s.pid, how) // gone already: the guard has ended too
		select {
		case <-s.Done():
		case <-ctx.Done():
			s.stopErr = fmt.Errorf("PostgreSQL did not stop in time and was killed: %w", ctx.Err())
			_ = syscall.Kill(s.pid, syscall.SIGQUIT)
			<-s.Done()
		}
		s.guard.release()
		s.unlock()
		if s.opts.Ephemeral {
			s.stopErr = errors.Join(s.stopErr, os.RemoveAll(s.dir))
		}
	})
	return s.stopErr
}

func (s *Server) data() string { return filepath.Join(s.dir, dataName) }

func (s *Server) unlock() {
	if s.lock != nil {
		unlockFile(s.lock)
	}
	if s.socket != "" && s.socket != filepath.Join(s.dir, runName) {
		_ = os.RemoveAll(s.socket)
	}
}
