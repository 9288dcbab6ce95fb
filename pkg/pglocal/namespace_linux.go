package pglocal

import (
	"os/exec"
	"syscall"
)

// namespaceID is what root is called inside the namespace; any number but 0 will do.
const namespaceID = 1000

// namespaceAttr runs a child in a user namespace in which root has another number, so that PostgreSQL accepts it while its files
// stay root's.
func namespaceAttr() *syscall.SysProcAttr {
	one := []syscall.SysProcIDMap{{ContainerID: namespaceID, HostID: 0, Size: 1}}
	return &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWUSER, UidMappings: one, GidMappings: one,
		Credential: &syscall.Credential{Uid: namespaceID, Gid: namespaceID, NoSetGroups: true},
	}
}

// namespaces reports whether this machine lets us make one; many containers do not.
func namespaces() bool {
	cmd := exec.Command("true") //nolint:noctx // ends at once
	cmd.SysProcAttr = namespaceAttr()
	return cmd.Run() == nil
}
