// Package chart tests what is deployed without a cluster: the Helm chart as it renders, its alerts and dashboards, and the Tiltfile. It holds no program.
package chart
