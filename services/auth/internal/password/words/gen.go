//go:build ignore

// Gen writes words.txt.gz from the frequency lists of a module in the form path@version.
package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// lists are the module's files, and how many of each, the most frequent first, are taken; 0: all.
var lists = map[string]int{"Passwords.json": 0, "English.json": 0, "FemaleNames.json": 0, "MaleNames.json": 0, "Surnames.json": 10_000}

const shortest = 4

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(module string) error {
	out, err := exec.Command("go", "mod", "download", "-json", module).Output()
	if err != nil {
		return fmt.Errorf("download %s: %w", module, err)
	}
	var downloaded struct{ Dir string }
	if err := json.Unmarshal(out, &downloaded); err != nil {
		return err
	}
	words := map[string]struct{}{}
	for name, most := range lists {
		if err := add(words, filepath.Join(downloaded.Dir, "data", "data", name), most); err != nil {
			return err
		}
	}
	return write(slices.Sorted(maps.Keys(words)))
}

func add(words map[string]struct{}, path string, most int) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var file struct{ List []string }
	if err := json.Unmarshal(text, &file); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for i, word := range file.List {
		if most > 0 && i >= most {
			break
		}
		if word = strings.ToLower(word); len(word) >= shortest {
			words[word] = struct{}{}
		}
	}
	return nil
}

func write(words []string) error {
	f, err := os.Create("words.txt.gz")
	if err != nil {
		return err
	}
	z, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write([]byte(strings.Join(words, "\n") + "\n")); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return f.Close()
}
