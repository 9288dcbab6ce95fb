// Command images makes the images of what Atrium needs from others, for tests on a cluster that has no internet, and pushes them to its registry:
//
//	go run ./test/k8s/images -registry localhost:5001/atrium-test
//
//	nats      nats-server of the Go module that the services are tested with
//	postgres  PostgreSQL of this machine's Debian packages, with bash and a few tools
//	probe     the program test/k8s/probe, which says what can be reached from a pod
//	redis     Redis of this machine's Debian packages
//
// They stand in for the images of docker.io that the chart names (nats, postgres) and for a Redis that somebody runs: same commands on the PATH,
// same users, same folders; no entrypoint script. They are for tests only: nobody patches them. `scripts/deps postgres redis` installs what they
// are made of. What is packed is the programs and the closure of their shared libraries; the same packages give the same digest.
package main
