"""The embedded cluster: a real Kubernetes of several nodes, built and run on this one machine."""
