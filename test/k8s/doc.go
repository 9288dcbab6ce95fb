// Package k8s tests Atrium on a real Kubernetes: it installs the chart, harasses the mesh while people use it, and counts what they notice.
// `make e2e-k8s` runs it.
package k8s
