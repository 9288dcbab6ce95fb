package inbox

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// journal is the file behind a Store: one JSON message a line, appended. A process that is killed leaves at most
// one torn last line, which the next start cuts off. Nothing is fsynced: the mails of a laptop may go with its power.
type journal struct {
	path  string
	file  *os.File
	lines int // in the file, forgotten messages included
	bytes int
}

func openJournal(dir string) (*journal, []Message, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, err
	}
	j := &journal{path: filepath.Join(dir, "messages.jsonl")}
	kept, err := readJournal(j.path)
	if err != nil {
		return nil, nil, err
	}
	return j, kept, j.rewrite(kept)
}

// readJournal returns the last MaxMessages messages; a line that is not a message is passed over.
func readJournal(path string) ([]Message, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	var kept []Message
	for reader := bufio.NewReader(file); ; {
		line, err := reader.ReadBytes('\n')
		var m Message
		if len(bytes.TrimSpace(line)) > 0 && json.Unmarshal(line, &m) == nil && m.ID != "" {
			kept = append(kept, m)
		}
		if errors.Is(err, io.EOF) {
			return kept[max(0, len(kept)-MaxMessages):], nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// append writes one message.
func (j *journal) append(m Message) error {
	line, err := encode(m)
	if err != nil {
		return err
	}
	if _, err := j.file.Write(line); err != nil {
		return err
	}
	j.lines, j.bytes = j.lines+1, j.bytes+len(line)
	return nil
}

// overgrown says that most of the file is messages forgotten since, so that a rewrite is worth its cost.
func (j *journal) overgrown() bool { return j.lines > 2*MaxMessages || j.bytes > 4*MaxBytes }

// rewrite replaces the file by one that holds just these messages, and opens it for appending.
func (j *journal) rewrite(messages []Message) error {
	file, err := os.OpenFile(j.path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	next := &journal{path: j.path, file: file}
	for _, m := range messages {
		if err := next.append(m); err != nil {
			return errors.Join(err, file.Close())
		}
	}
	if err := os.Rename(j.path+".new", j.path); err != nil {
		return errors.Join(err, file.Close())
	}
	old := j.file
	*j = *next
	if old != nil {
		return old.Close()
	}
	return nil
}

func (j *journal) close() error { return j.file.Close() }

func encode(m Message) ([]byte, error) {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false) // HTML would grow by half
	err := encoder.Encode(m)
	return line.Bytes(), err
}
