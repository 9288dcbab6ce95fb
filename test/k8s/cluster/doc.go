// Package cluster owns how a test handles a Kubernetes: kubectl and helm as a person would type them, a namespace that is gone afterwards,
// and volumes where the cluster makes none itself. It works on the cluster of KUBECONFIG; images are pushed to and pulled from the registry
// that ATRIUM_K8S_REGISTRY names.
package cluster
