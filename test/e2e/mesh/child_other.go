//go:build !linux

package mesh

import "syscall"

// child has no way to tie a process to this one here; only a killed test leaves it behind.
func child() *syscall.SysProcAttr { return nil }
