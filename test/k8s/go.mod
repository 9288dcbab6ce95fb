module github.com/atrium-mesh/atrium/test/k8s

go 1.26.0
