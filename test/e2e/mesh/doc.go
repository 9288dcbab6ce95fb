// Package mesh owns the processes of a whole Atrium for one test: PostgreSQL, NATS, the inbox and each service as a process of its own
// ([Processes]), or everything in one (`atrium up`, [Up]). Whatever is started here ends with the test, also when the test is killed.
//
// A process that ends without being told to fails the test, and so does a log that holds what must never be in one: a panic, an
// e-mail address, a password.
package mesh
