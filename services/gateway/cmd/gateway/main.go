// Command gateway runs the gateway, configured by the environment; see --help.
package main

import (
	"github.com/atrium-mesh/atrium/pkg/service"
	"github.com/atrium-mesh/atrium/services/gateway"
)

func main() { service.Main(gateway.Service()) }
