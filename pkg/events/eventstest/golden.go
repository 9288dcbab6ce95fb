// Package eventstest holds an event's JSON still: what one version has published, every later one must be able to read.
package eventstest

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/atrium-mesh/atrium/pkg/events"
)

const folder = "testdata/events"

var update = flag.Bool("update", false, "write the golden files again") //nolint:gochecknoglobals // a flag of the test binary

// Updating reports whether golden files are to be written again. A test binary defines the flag -update once: here.
func Updating() bool { return *update }

// Golden compares the JSON of sample with testdata/events/<type>.json, and reads that file back into the same sample. A missing file, or
// the test's flag -update, writes it; a change of a file that has been released is a new version of the type instead.
func Golden[T any](t testing.TB, typ events.Type[T], sample T) {
	t.Helper()
	got, err := json.MarshalIndent(sample, "", "  ")
	if err != nil {
		t.Fatalf("encode %s: %v", typ.Name, err)
	}
	got = append(got, '\n')
	path := filepath.Join(folder, typ.Name+".json")
	if Updating() {
		write(t, path, got)
	}
	want, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("%s is missing; run the test with -update", path)
	}
	if err != nil {
		t.Fatalf("read the golden file: %v", err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("%s is now\n%sbut %s has\n%sA released event does not change: define a new version of it.", typ.Name, got, path, want)
	}
	var back T
	if err := json.Unmarshal(want, &back); err != nil {
		t.Fatalf("%s can no longer be read: %v", path, err)
	}
	if !reflect.DeepEqual(back, sample) {
		t.Errorf("%s is read as %+v, want %+v", path, back, sample)
	}
}

func write(t testing.TB, path string, text []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatalf("make the golden file's folder: %v", err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatalf("write the golden file: %v", err)
	}
}
