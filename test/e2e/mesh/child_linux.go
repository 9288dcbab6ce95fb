package mesh

import "syscall"

// child makes a process end with this one, however this one ends.
func child() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
