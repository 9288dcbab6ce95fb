// Package tilttest evaluates a Tiltfile without Tilt: it runs the Starlark of the file and of what it loads, with builtins that take exactly the
// parameters of Tilt's and write down how they were called (https://docs.tilt.dev/api.html). A name or a parameter that Tilt does not have is an error.
package tilttest
