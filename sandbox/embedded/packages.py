"""The Debian packages the embedded cluster stands on. Standard library only: set-up reads it first."""

CLUSTER_PACKAGES: tuple[str, ...] = (
    "containerd",
    "runc",
    "containernetworking-plugins",
    "nftables",
    "iproute2",
    "mmdebstrap",
    "busybox-static",
    "gcc",
    "libc6-dev",
)
