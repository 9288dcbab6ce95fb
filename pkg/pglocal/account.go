package pglocal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is who the server runs as.
type account struct {
	uid, gid int                  // owner of the files; -1: whoever we are
	attr     *syscall.SysProcAttr // nil: as we are
}

var errNoAccount = errors.New("PostgreSQL does not run as root, and there is no other user here that could run it")

// accountFor decides who runs the server on dir. It may answer with another folder, to which dir is then a link.
func accountFor(dir string, b Binaries) (account, string, error) {
	if os.Geteuid() != 0 {
		return account{uid: -1, gid: -1}, dir, nil
	}
	if target, err := filepath.EvalSymlinks(dir); err == nil {
		dir = target
	}
	if uid, gid, ok := owner(filepath.Join(dir, dataName)); ok {
		return accountOf(uid, gid), dir, nil
	}
	other, lookup := otherUser()
	if lookup == nil && reaches(other, dir) && reaches(other, b.Dir) {
		return other, dir, nil
	}
	if namespaces() {
		return accountOf(0, 0), dir, nil
	}
	if lookup != nil || !reaches(other, b.Dir) {
		return account{}, "", errNoAccount
	}
	moved, err := relocate(dir)
	return other, moved, err
}

func accountOf(uid, gid int) account {
	if uid == 0 {
		return account{uid: -1, gid: -1, attr: namespaceAttr()}
	}
	credential := &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)} //nolint:gosec // ids of the system
	return account{uid: uid, gid: gid, attr: &syscall.SysProcAttr{Credential: credential}}
}

func otherUser() (account, error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err1 == nil && err2 == nil && uid > 0 {
			return accountOf(uid, gid), nil
		}
	}
	return account{}, errNoAccount
}

// reaches reports whether the account may pass through every folder above path.
func reaches(a account, path string) bool {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue // will be made, by us, passable
		}
		if err != nil || !mayPass(a, info) {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}

func mayPass(a account, info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return false
	}
	switch {
	case int(stat.Uid) == a.uid:
		return info.Mode()&0o100 != 0
	case int(stat.Gid) == a.gid:
		return info.Mode()&0o010 != 0
	default:
		return info.Mode()&0o001 != 0
	}
}

func owner(path string) (uid, gid int, ok bool) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, 0, false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return int(stat.Uid), int(stat.Gid), true
}

// relocate makes dir a link to a new folder that other users can reach. An existing dir must be empty.
func relocate(dir string) (string, error) {
	target, err := os.MkdirTemp("/var/lib", "atrium-postgres-")
	if err != nil {
		return "", fmt.Errorf("make a folder for the database: %w", err)
	}
	if err := os.Chmod(target, 0o755); err != nil { //nolint:gosec // the data folder in it is private
		return "", fmt.Errorf("open the folder of the database: %w", err)
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("replace %s by a link: %w", dir, err)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil { //nolint:gosec // as any project folder
		return "", fmt.Errorf("make the folder above the database: %w", err)
	}
	if err := os.Symlink(target, dir); err != nil {
		return "", fmt.Errorf("link the database's folder: %w", err)
	}
	return target, nil
}

// own gives the files to the account.
func (a account) own(paths ...string) error {
	if a.uid < 0 {
		return nil
	}
	for _, path := range paths {
		if err := os.Lchown(path, a.uid, a.gid); err != nil {
			return fmt.Errorf("give %s to the database's user: %w", path, err)
		}
	}
	return nil
}

// procAttr is for a child that runs as the account, in a process group of its own so that Ctrl-C does not reach it.
func (a account) procAttr() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{}
	if a.attr != nil {
		*attr = *a.attr
	}
	attr.Setpgid = true
	return attr
}
