"""Who this copy is: from the Downward API where the manifest sets it, else from what the kernel shows."""

import posix

_HEX = frozenset("0123456789abcdef")


def variable(name: str, otherwise: str = "") -> str:
    return posix.environ.get(name.encode(), otherwise.encode()).decode("utf-8", "replace")


def pod_name() -> str:
    """A Pod's hostname is its name, unless the manifest sets another hostname."""
    return variable("POD_NAME") or posix.uname().nodename


def pod_uid() -> str:
    """The Pod's uid, or nothing outside a cluster.

    The kubelet writes it into the container's cgroup path (`/kubepods/burstable/pod<uid>/...`, with `_` for
    `-` under systemd) and into the source of the mount at /etc/hosts (`.../pods/<uid>/etc-hosts`), which also
    shows where a private cgroup namespace hides the former.
    """
    declared = variable("POD_UID")
    if declared:
        return declared
    return find_pod_uid(_read("/proc/self/cgroup")) or find_pod_uid(_read("/proc/self/mountinfo"))


def find_pod_uid(text: str) -> str:
    """The first uid in kubelet paths: after `/pod` or `-pod` (cgroups) or after `/pods/` (mounts)."""
    for mark in ("/pods/", "/pod", "-pod"):
        start = text.find(mark)
        while start >= 0:
            uid = text[start + len(mark) : start + len(mark) + 36].replace("_", "-")
            if [len(part) for part in uid.split("-")] == [8, 4, 4, 4, 12] and _HEX.issuperset(uid.replace("-", "")):
                return uid
            start = text.find(mark, start + 1)
    return ""


def resident_bytes() -> int:
    """0 where there is no /proc."""
    pages = (_read("/proc/self/statm").split() + ["0", "0"])[1]
    return int(pages) * posix.sysconf("SC_PAGE_SIZE")


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(64 * 1024)
    except OSError:
        return ""
