"""What each image consists of. A recipe gives layers and a configuration; `building` does the rest."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.embedded.images import tools
from sandbox.embedded.images.errors import ImageBuildFailed
from sandbox.embedded.images.layers import Entry, File, Folder, Layer, Link, read_member, write_layer
from sandbox.embedded.images.oci import RunConfig

SOURCES = Path(__file__).parent / "sources"
STUDENT = 1000  # uid and gid of the toolbox's only user
NOBODY = 65532  # of everything else that needs no home

# Under the names people type; the rest of busybox comes as it is.
FETCH_NAMES = ("fetch", "curl", "wget", "nslookup")


@dataclass(frozen=True)
class Workshop:
    """What recipes work with: `bench` is a scratch folder, `base` makes the base layer when first asked."""

    bench: Path
    kubectl: Path
    base: Callable[[], Layer]


@dataclass(frozen=True)
class Recipe:
    """`sources` are the folders under `sources/` whose change makes the image anew."""

    name: str
    sources: tuple[str, ...]
    make: Callable[[Workshop], Sequence[Layer]]
    config: RunConfig
    on_base: bool = False  # the base layer (or a file of it) is part of the image
    with_kubectl: bool = False


def make_pause(workshop: Workshop) -> Sequence[Layer]:
    return [write_layer([File("pause", _c(workshop, "pause"), 0o755)], workshop.bench / "pause.tar")]


def make_prober(workshop: Workshop) -> Sequence[Layer]:
    program = _go(workshop, "prober")
    entries: list[Entry] = [File("bin/prober", program, 0o755), Folder("tmp", 0o1777)]
    return [write_layer(entries, workshop.bench / "prober.tar")]


def make_storefront(workshop: Workshop) -> Sequence[Layer]:
    """The base, what all apps of the shop share, and the app itself: a new version adds only the last."""
    source = SOURCES / "storefront"
    shared = [
        File(f"app/chandlery/{path.name}", path) for path in sorted((source / "chandlery").glob("*.py"))
    ]
    own = [File("app/storefront.py", source / "storefront.py")]
    return [
        workshop.base(),
        write_layer(shared, workshop.bench / "chandlery.tar"),
        write_layer(own, workshop.bench / "storefront.tar"),
    ]


def make_toolbox(workshop: Workshop) -> Sequence[Layer]:
    """Shell and clients first, kubectl last: it alone changes with the Kubernetes version."""
    busybox = read_member(workshop.base().file, "bin/busybox")
    source = SOURCES / "toolbox"
    shell: list[Entry] = [
        File("bin/busybox", busybox, 0o755),
        *(Link(f"bin/{applet}", "busybox") for applet in applets(busybox, workshop.bench)),
        File("bin/init", _c(workshop, "pause"), 0o755),
        File("bin/terminal", _c(workshop, "terminal"), 0o755),
        File("usr/local/bin/fetch", _go(workshop, "fetch"), 0o755),
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


def _c(workshop: Workshop, name: str) -> Path:
    program = workshop.bench / f"c-{name}"
    if not program.exists():
        tools.compile_c(SOURCES / name / f"{name}.c", program)
    return program


def _go(workshop: Workshop, package: str) -> Path:
    program = workshop.bench / f"go-{package}"
    tools.compile_go(SOURCES / "golang", package, program)
    return program


RECIPES = (
    Recipe("glasshull.local/pause:1", ("pause",), make_pause, RunConfig(("/pause",), f"{NOBODY}:{NOBODY}")),
    Recipe(
        "docker.io/app/storefront:1.0",
        ("storefront",),
        make_storefront,
        RunConfig(
            ("/usr/bin/python3", "-I", "-S", "/app/storefront.py"),
            f"{NOBODY}:{NOBODY}",
            # One malloc arena: with one per thread glibc keeps a megabyte more for nothing.
            {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "1", "APP_VERSION": "1.0"},
            folder="/app",
            ports=(8080,),
        ),
        on_base=True,
    ),
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
)
