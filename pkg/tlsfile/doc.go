// Package tlsfile owns certificates and authorities that are in files: it reads them at the start, and again when the files have changed,
// so that a renewed certificate (cert-manager writes a new one into the mounted secret) needs no restart. New files that cannot be used
// are reported, and the last good ones stay in use.
package tlsfile
