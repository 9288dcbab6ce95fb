package local

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Folder is a data folder that this process holds the lock of.
type Folder struct {
	Path string // absolute
	lock *os.File
}

// InUseError says that another process runs a mesh on the folder.
type InUseError struct {
	Path   string
	Holder string // what the lock file says, such as "process 4711, http://localhost:8080"
}

func (e *InUseError) Error() string {
	who := "another process"
	if e.Holder != "" {
		who = e.Holder
	}
	return fmt.Sprintf("the data folder %s is in use by %s: stop it first, or choose another folder with --data", e.Path, who)
}

// OpenFolder makes the folder where there is none and takes its lock, or returns an *InUseError. Close gives it back.
func OpenFolder(path string) (*Folder, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("find the data folder: %w", err)
	}
	// PostgreSQL runs as somebody else when this process is root, and has to pass through: what is private is so one level down.
	if err := os.MkdirAll(path, 0o755); err != nil { //nolint:gosec // see above
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	if err := ignored(path); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock of the data folder: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder := make([]byte, 200)
		n, _ := lock.ReadAt(holder, 0)
		inUse := &InUseError{Path: path, Holder: strings.TrimSpace(string(holder[:n]))}
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(inUse, lock.Close())
		}
		return nil, errors.Join(fmt.Errorf("lock the data folder: %w", err), lock.Close())
	}
	f := &Folder{Path: path, lock: lock}
	return f, f.describe(fmt.Sprintf("process %d", os.Getpid()))
}

// ignored keeps a data folder inside a repository out of it.
func ignored(path string) error {
	file, err := os.OpenFile(filepath.Join(path, ".gitignore"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("write into the data folder: %w", err)
	}
	_, err = file.WriteString("*\n")
	return errors.Join(err, file.Close())
}

// describe tells who holds the lock to those who want it.
func (f *Folder) describe(holder string) error {
	if err := f.lock.Truncate(0); err != nil {
		return fmt.Errorf("write the lock of the data folder: %w", err)
	}
	if _, err := f.lock.WriteAt([]byte(holder+"\n"), 0); err != nil {
		return fmt.Errorf("write the lock of the data folder: %w", err)
	}
	return nil
}

// Close gives the lock back. The kernel does so too when the process ends in any other way.
//
// To close the file would not be enough: a process that is being started at this moment has a copy of it until it executes its program,
// and the lock would live as long.
func (f *Folder) Close() error {
	return errors.Join(f.lock.Truncate(0), syscall.Flock(int(f.lock.Fd()), syscall.LOCK_UN), f.lock.Close())
}

// Dir returns a private folder inside, made when it is missing.
func (f *Folder) Dir(name string) (string, error) {
	path := filepath.Join(f.Path, name)
	if err := os.MkdirAll(path, 0o700); err != nil {
		return "", fmt.Errorf("make a folder for %s: %w", name, err)
	}
	return path, nil
}

// Secret returns the secret of that name: 32 random bytes in base64 (URL alphabet), generated the first time and kept.
func (f *Folder) Secret(name string) (string, error) {
	dir, err := f.Dir("secrets")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, name)
	kept, err := os.ReadFile(path)
	if err == nil && len(strings.TrimSpace(string(kept))) >= 32 {
		return strings.TrimSpace(string(kept)), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the secret %s: %w", name, err)
	}
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails
	secret := base64.RawURLEncoding.EncodeToString(random)
	if err := writeFile(path, []byte(secret+"\n")); err != nil {
		return "", fmt.Errorf("keep the secret %s: %w", name, err)
	}
	return secret, nil
}

// passwordLength is in characters of 6 random bits each.
const passwordLength = 20

// Password is a secret that people type.
func (f *Folder) Password(name string) (string, error) {
	secret, err := f.Secret(name)
	if err != nil {
		return "", err
	}
	return secret[:passwordLength], nil
}

// Running is how to reach the mesh that runs on a folder. It holds secrets.
type Running struct {
	PID       int               `json:"pid"`
	Origin    string            `json:"origin"`
	Listen    string            `json:"listen"` // as it was asked for
	NATS      string            `json:"nats_url"`
	Databases map[string]string `json:"databases"` // service → DATABASE_URL
	StartedAt time.Time         `json:"started_at"`
}

const runningFile = "run.json"

func (f *Folder) publish(r Running) error {
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("describe what runs: %w", err)
	}
	if err := writeFile(filepath.Join(f.Path, runningFile), content); err != nil {
		return fmt.Errorf("describe what runs: %w", err)
	}
	return f.describe(fmt.Sprintf("process %d, %s", r.PID, r.Origin))
}

func (f *Folder) unpublish() error {
	err := os.Remove(filepath.Join(f.Path, runningFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// ReadRunning returns how to reach the mesh that another process runs on a folder.
func ReadRunning(path string) (Running, error) {
	var r Running
	content, err := os.ReadFile(filepath.Join(path, runningFile))
	if err != nil {
		return r, fmt.Errorf("read what runs on %s: %w", path, err)
	}
	if err := json.Unmarshal(content, &r); err != nil {
		return r, fmt.Errorf("read what runs on %s: %w", path, err)
	}
	return r, nil
}

// writeFile replaces a private file at once, so that a kill leaves the old or the new one.
func writeFile(path string, content []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}
