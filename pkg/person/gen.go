//go:build ignore

// Gen writes zones.txt: the names of the time zones that Go embeds.
package main

import (
	"archive/zip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("find Go: %w", err)
	}
	database, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip"))
	if err != nil {
		return err
	}
	defer database.Close()
	var names []string
	for _, f := range database.File {
		if name := f.Name; !strings.HasSuffix(name, "/") && name != "Factory" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return os.WriteFile("zones.txt", []byte("\n"+strings.Join(names, "\n")+"\n"), 0o644)
}
