module github.com/atrium-mesh/atrium/tools

go 1.26.0
