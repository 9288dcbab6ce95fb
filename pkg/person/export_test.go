package person

import "strings"

// Zones are the names of all time zones.
func Zones() []string { return strings.Fields(zones) }
