"""Pure functions from one Kubernetes object to one item of the picture (live protocol, section 1)."""
