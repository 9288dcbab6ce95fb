package pglocal

import (
	"maps"
	"slices"
	"strconv"
)

// settings are the command line's: small, private, and durable unless Volatile.
func (s *Server) settings() []string {
	values := map[string]string{
		"listen_addresses":           "",
		"unix_socket_directories":    s.socket,
		"unix_socket_permissions":    "0700",
		"max_connections":            "200",
		"shared_buffers":             "64MB",
		"max_wal_size":               "512MB",
		"logging_collector":          "off",
		"log_timezone":               "UTC",
		"timezone":                   "UTC",
		"dynamic_shared_memory_type": "mmap",
		"autovacuum_naptime":         "30s",
		"max_worker_processes":       "4",
		"max_wal_senders":            "0",
		"wal_level":                  "minimal",
		"cluster_name":               "atrium",
		"jit":                        "off",
	}
	if s.opts.Port != 0 {
		values["listen_addresses"] = "127.0.0.1"
		values["port"] = strconv.Itoa(s.opts.Port)
	}
	if s.opts.Volatile {
		maps.Copy(values, map[string]string{
			"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "400", "shared_buffers": "32MB",
		})
	}
	maps.Copy(values, s.opts.Settings)
	var args []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		args = append(args, "-c", name+"="+values[name])
	}
	return args
}
