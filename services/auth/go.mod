module github.com/atrium-mesh/atrium/services/auth

go 1.26.0

require github.com/atrium-mesh/atrium/pkg v0.0.0

replace github.com/atrium-mesh/atrium/pkg => ../../pkg
