module github.com/atrium-mesh/atrium/test/chart

go 1.26.0
