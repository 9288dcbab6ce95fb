package tlsfile

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"
)

// lookEvery is how often at most the files are looked at.
const lookEvery = time.Second

// watched is a value that was read from files. It looks at them when it is asked for the value; there is no goroutine behind it.
type watched[T any] struct {
	files  []string
	read   func() (T, error)
	what   string // for the log: "certificate"
	logger *slog.Logger
	every  time.Duration

	mu     sync.Mutex
	value  T
	stamp  string // of the files that value was read from
	failed string // stamp of files that could not be used, which was said
	looked time.Time
}

func (w *watched[T]) load() error {
	stamp, err := stampOf(w.files)
	if err != nil {
		return err
	}
	value, err := w.read()
	if err != nil {
		return err
	}
	w.value, w.stamp, w.looked = value, stamp, time.Now()
	return nil
}

// get is the value as the files say it now, or as they said it when they were last good.
func (w *watched[T]) get() T {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Since(w.looked) < w.every {
		return w.value
	}
	w.looked = time.Now()
	stamp, err := stampOf(w.files)
	if err == nil && stamp == w.stamp {
		return w.value
	}
	var value T
	if err == nil {
		value, err = w.read()
	}
	if err != nil {
		w.complain(stamp, err)
		return w.value
	}
	w.value, w.stamp, w.failed = value, stamp, ""
	w.logger.Info("new TLS files are in use", "what", w.what, "files", w.files)
	return w.value
}

// complain says once for each state of the files that they are of no use. They are tried again all the same: the second file of a pair
// may be about to be written.
func (w *watched[T]) complain(stamp string, err error) {
	if stamp == "" {
		stamp = err.Error()
	}
	if w.failed == stamp {
		return
	}
	w.failed = stamp
	w.logger.Warn("new TLS files cannot be used; keeping those before", "what", w.what, "files", w.files, "error", err)
}

// stampOf tells one state of the files from another. It follows links: a mounted secret is swapped by changing one.
func stampOf(files []string) (string, error) {
	var stamp strings.Builder
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return "", reasonOf(err)
		}
		_, _ = fmt.Fprint(&stamp, info.ModTime().UnixNano(), info.Size(), ";")
	}
	return stamp.String(), nil
}

// reasonOf leaves the name of the operation and the path out of an error about a file: both are said already.
func reasonOf(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return err
}
