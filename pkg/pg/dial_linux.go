package pg

import (
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// giveUpOnSilence sets TCP_USER_TIMEOUT (RFC 5482).
func giveUpOnSilence(network, _ string, conn syscall.RawConn) error {
	if network == "unix" {
		return nil
	}
	var failed error
	err := conn.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(unacknowledged.Milliseconds()))
	})
	if err != nil || failed != nil {
		return fmt.Errorf("set TCP_USER_TIMEOUT: %w", errors.Join(err, failed))
	}
	return nil
}
