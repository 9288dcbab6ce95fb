package local

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxLog is the size at which the log starts anew; the one before is kept beside it.
const maxLog = 32 << 20

// logFile takes the JSON log lines of everything that runs, one a Write. It keeps them in a file and shows the severe
// ones to the person at the terminal. It is safe for concurrent use.
type logFile struct {
	path     string
	terminal io.Writer
	least    slog.Level // that the terminal shows

	mu    sync.Mutex
	file  *os.File
	size  int64
	quiet bool     // warnings are held: while parts start and stop, others miss them, which is no news
	held  []string // the last ones
}

// maxHeld is how many warnings of a start that failed are worth reading.
const maxHeld = 20

func openLog(dir string, terminal io.Writer, least slog.Level) (*logFile, error) {
	l := &logFile{path: filepath.Join(dir, "atrium.log"), terminal: terminal, least: least, quiet: least >= slog.LevelWarn}
	if err := l.open(); err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	return l, nil
}

func (l *logFile) open() error {
	file, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	l.file, l.size = file, info.Size()
	return nil
}

// Write keeps one line. A disk that is full does not stop the mesh: the line is lost.
func (l *logFile) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return len(line), nil
	}
	l.show(line)
	if l.size+int64(len(line)) > maxLog {
		if err := l.rotate(); err != nil {
			return 0, err
		}
	}
	n, err := l.file.Write(line)
	l.size += int64(n)
	return n, err
}

func (l *logFile) rotate() error {
	err := errors.Join(l.file.Close(), os.Rename(l.path, l.path+".1"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("start the log anew: %w", err)
	}
	return l.open()
}

// Close ends the log; later lines are dropped.
func (l *logFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	file := l.file
	l.file = nil
	return file.Close()
}

// show prints a line that is severe enough, shorter than it is kept.
func (l *logFile) show(line []byte) {
	fields := map[string]any{}
	var level slog.Level
	if json.Unmarshal(bytes.TrimSpace(line), &fields) != nil || level.UnmarshalText([]byte(text(fields["level"]))) != nil || level < l.least {
		return
	}
	when, err := time.Parse(time.RFC3339Nano, text(fields["time"]))
	if err != nil {
		when = time.Now()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %-5s %s: %s", when.Local().Format("15:04:05.000"), level, text(fields["service"]), text(fields["msg"]))
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains([]string{"time", "level", "msg", "service", "version", "trace_id", "span_id"}, key) {
			fmt.Fprintf(&b, " %s=%s", key, text(fields[key]))
		}
	}
	if l.quiet {
		l.held = append(l.held, b.String())
		l.held = l.held[max(0, len(l.held)-maxHeld):]
		return
	}
	_, _ = fmt.Fprintln(l.terminal, b.String()) // there is nobody else to tell
}

// hold keeps warnings from the terminal, or lets them through again.
func (l *logFile) hold(quiet bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.quiet = quiet && l.least >= slog.LevelWarn
	l.held = nil
}

// tellHeld shows the warnings that were held, for a start that failed.
func (l *logFile) tellHeld() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.held {
		_, _ = fmt.Fprintln(l.terminal, line)
	}
	l.held = nil
}

func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		encoded, err := json.Marshal(v)
		if err != nil {
			return "?"
		}
		return string(encoded)
	}
}
