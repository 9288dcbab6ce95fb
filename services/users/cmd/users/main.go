// Command users runs the users service, configured by the environment; see --help.
package main

import (
	"github.com/atrium-mesh/atrium/pkg/service"
	"github.com/atrium-mesh/atrium/services/users"
)

func main() { service.Main(users.Service()) }
