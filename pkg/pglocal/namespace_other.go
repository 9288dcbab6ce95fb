//go:build !linux

package pglocal

import "syscall"

func namespaceAttr() *syscall.SysProcAttr { return nil }

func namespaces() bool { return false }
