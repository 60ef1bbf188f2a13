"""What each image consists of. A recipe gives layers and a configuration; `building` does the rest."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from sandbox.embedded.images.errors import ImageBuildFailed
from sandbox.embedded.images.layers import Entry, File, Folder, Layer, Link, read_member, write_layer
from sandbox.embedded.images.oci import RunConfig
from sandbox.embedded.images.shop import SHOP_RECIPES
from sandbox.embedded.images.workshop import NOBODY, SOURCES, STUDENT, Recipe, Workshop

# Under the names people type; the rest of busybox comes as it is.
FETCH_NAMES = ("fetch", "curl", "wget", "nslookup")


def make_pause(workshop: Workshop) -> Sequence[Layer]:
    return [write_layer([File("pause", workshop.compiled_c("pause"), 0o755)], workshop.bench / "pause.tar")]


def make_prober(workshop: Workshop) -> Sequence[Layer]:
    program = workshop.compiled_go("prober")
    entries: list[Entry] = [File("bin/prober", program, 0o755), Folder("tmp", 0o1777)]
    return [write_layer(entries, workshop.bench / "prober.tar")]


def make_toolbox(workshop: Workshop) -> Sequence[Layer]:
    """Shell and clients first, kubectl last: it alone changes with the Kubernetes version."""
    busybox = read_member(workshop.base().file, "bin/busybox")
    source = SOURCES / "toolbox"
    shell: list[Entry] = [
        File("bin/busybox", busybox, 0o755),
        *(Link(f"bin/{applet}", "busybox") for applet in applets(busybox, workshop.bench)),
        File("bin/init", workshop.compiled_c("pause"), 0o755),
        File("bin/terminal", workshop.compiled_c("terminal"), 0o755),
        File("usr/local/bin/fetch", workshop.compiled_go("fetch"), 0o755),
        *(Link(f"usr/local/bin/{name}", "fetch") for name in FETCH_NAMES if name != "fetch"),
        *(File(f"etc/{name}", source / name) for name in ("profile", "shrc", "passwd", "group")),
        Folder("home/student", 0o750, STUDENT),
        Folder("tmp", 0o1777),
        Folder("proc"),
        Folder("sys"),
        Folder("dev"),
    ]
    return [
        write_layer(shell, workshop.bench / "shell.tar"),
        write_layer([File("usr/local/bin/kubectl", workshop.kubectl, 0o755)], workshop.bench / "kubectl.tar"),
    ]


def applets(busybox: bytes, bench: Path) -> list[str]:
    """Names under which this busybox answers, but for those that crash or that `fetch` does better."""
    program = bench / "busybox"
    program.write_bytes(busybox)
    program.chmod(0o755)
    try:
        listed = subprocess.run(
            [program, "--list"], capture_output=True, text=True, timeout=10, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as failed:
        raise ImageBuildFailed(
            f"the base layer's busybox does not run here ({failed}); delete it and try again."
        ) from None
    return sorted(set(listed.split()) - {"busybox", "init", "linuxrc", *FETCH_NAMES})


RECIPES = (
    Recipe("glasshull.local/pause:1", ("pause",), make_pause, RunConfig(("/pause",), f"{NOBODY}:{NOBODY}")),
    Recipe(
        "glasshull.local/prober:1",
        ("golang/prober",),
        make_prober,
        RunConfig(("/bin/prober", "wait"), f"{NOBODY}:{NOBODY}", {"PATH": "/bin"}),
    ),
    Recipe(
        "glasshull.local/toolbox:1",
        ("pause", "terminal", "golang/fetch", "toolbox"),
        make_toolbox,
        RunConfig(
            ("/bin/init",),
            f"{STUDENT}:{STUDENT}",
            {
                "PATH": "/usr/local/bin:/bin",
                "HOME": "/home/student",
                "USER": "student",
                "KUBECONFIG": "/home/student/.kube/config",
                "ENV": "/etc/shrc",
            },
            folder="/home/student",
        ),
        on_base=True,
        with_kubectl=True,
    ),
    *SHOP_RECIPES,
)
