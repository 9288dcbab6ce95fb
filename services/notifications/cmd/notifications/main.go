// Command notifications runs the notifications service, configured by the environment; see --help.
package main

import (
	"github.com/atrium-mesh/atrium/pkg/service"
	"github.com/atrium-mesh/atrium/services/notifications"
)

func main() { service.Main(notifications.Service()) }
