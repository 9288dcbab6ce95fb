// Command auth runs the auth service.
package main

import (
	"github.com/atrium-mesh/atrium/pkg/service"
	"github.com/atrium-mesh/atrium/services/auth"
)

func main() { service.Main(auth.Service()) }
