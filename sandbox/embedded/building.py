"""The Kubernetes binary: built once from Go modules, kept by the hash of what it is built from."""

import errno
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from sandbox.embedded.errors import BuildFailed
from sandbox.embedded.progress import Progress, Report

SOURCES = Path(__file__).with_name("build")
_TOOLS = Path(__file__).parents[2] / ".tools"
BINARY = "glasshull-kube"
COMPONENTS = (
    "coredns",
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubectl",
    "kubelet",
)
VERSION = "v1.37.2"
_LEAST_GO = (1, 26)
_VERSIONED = ("kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler", "kubelet")

_TAGS = "selinux,notest,grpcnotrace"
_STAMPS = " ".join(
    (
        "-s -w",
        f"-X k8s.io/component-base/version.gitVersion={VERSION}",
        "-X k8s.io/component-base/version.gitMajor=1",
        "-X k8s.io/component-base/version.gitMinor=37",
        f"-X k8s.io/client-go/pkg/version.gitVersion={VERSION}",
    )
)
_FLAGS = ("-trimpath", "-tags", _TAGS)

# Measured on two cores: 0.82 GB of modules, 4.2 GB of compiled packages, 0.17 GB of binary.
_MODULES_BYTES = 850_000_000
_CACHE_BYTES = 4_200_000_000
_BINARY_BYTES = 500_000_000
# (share of the packages compiled, share of the time taken), from one cold build of 472 s: the last
# packages are the big ones, and linking comes after them.
_COURSE = ((0.0, 0.0), (0.08, 0.04), (0.625, 0.50), (0.746, 0.63), (0.876, 0.76), (0.946, 0.89), (1.0, 0.98))
_SHOW_EVERY = 0.5


def ensure_binary(home: Path, progress: Report) -> Path:
    """The multi-call binary; links named as the components lie beside it.

    `GLASSHULL_KUBERNETES_BIN=DIR` uses components that are there already. Raises BuildFailed; a build
    that was cut short goes on where it stopped, because what is compiled stays in Go's cache.
    """
    given = os.environ.get("GLASSHULL_KUBERNETES_BIN")
    if given:
        return use_given(Path(given), home)
    go = find_go()
    target = home / "bin" / hash_of(go)
    if not (target / BINARY).exists():
        _build(go, target, progress)
    link_components(target)
    return target / BINARY


# --- components that are there already ---------------------------------------------------------


def use_given(folder: Path, home: Path) -> Path:
    """Components of the operator's own: all eight, or one multi-call binary. Raises BuildFailed."""
    folder = folder.resolve()
    if (folder / BINARY).exists() and not (folder / "kube-apiserver").exists():
        linked = home / "bin" / "given"
        linked.mkdir(parents=True, exist_ok=True)
        link = linked / BINARY
        link.unlink(missing_ok=True)
        link.symlink_to(folder / BINARY)
        link_components(linked)
        folder = linked
    missing = [name for name in COMPONENTS if not os.access(folder / name, os.X_OK)]
    if missing:
        raise BuildFailed(
            f"GLASSHULL_KUBERNETES_BIN={folder} has no {', '.join(missing)}.",
            "Put them there, or unset the variable to have them built.",
        )
    for name in _VERSIONED:
        _check_version(folder / name)
    return folder / "kube-apiserver"


def _check_version(component: Path) -> None:
    try:
        said = subprocess.run(
            [component, "--version"], capture_output=True, text=True, timeout=20, check=False
        ).stdout.strip()
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildFailed(f"{component} does not run: {error}.", "Put a working one there.") from error
    wanted = VERSION.rpartition(".")[0] + "."
    if wanted not in said:
        raise BuildFailed(
            f"{component} is {said or 'of an unknown version'}, and {wanted}x is needed.",
            "Put that version there, or unset GLASSHULL_KUBERNETES_BIN to have it built.",
        )


def link_components(folder: Path) -> None:
    for name in COMPONENTS:
        with suppress(FileExistsError):
            (folder / name).symlink_to(BINARY)


# --- Go ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Go:
    command: str
    version: str


def find_go() -> Go:
    """`go` on PATH, else the project's own. Raises BuildFailed when neither is new enough."""
    for command in _candidates():
        version = _version_of(command)
        if version and parse_go_version(version) >= _LEAST_GO:
            return Go(command, version)
    raise BuildFailed(
        f"Building the cluster needs Go {_LEAST_GO[0]}.{_LEAST_GO[1]} or newer, and there is none.",
        "Run `make up`, which fetches one, or install Go.",
    )


def _candidates() -> Iterator[str]:
    on_path = shutil.which("go")
    if on_path:
        yield on_path
    yield from (str(path) for path in sorted(_TOOLS.glob("go/**/bin/go")))


def _version_of(command: str) -> str | None:
    try:
        done = subprocess.run(
            [command, "env", "GOVERSION"], capture_output=True, text=True, timeout=20, check=False, env=_env()
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def parse_go_version(text: str) -> tuple[int, ...]:
    """`go1.26.8` -> (1, 26, 8). Pure; () when it is no version."""
    match = re.search(r"go(\d+(?:\.\d+)*)", text)
    return tuple(int(part) for part in match[1].split(".")) if match else ()


def hash_of(go: Go, sources: Path = SOURCES) -> str:
    """Changes with whatever the binary is built from."""
    digest = hashlib.sha256(f"{go.version}\n{_STAMPS}\n{_FLAGS}\n".encode())
    for file in sorted((*sources.glob("*.go"), sources / "go.mod", sources / "go.sum")):
        digest.update(f"{file.name}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def _env() -> dict[str, str]:
    # Settings of somebody's shell must not change what is built; a toolchain is never fetched.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GLASSHULL_")}
    return {
        "HOME": str(Path.home()),
        **kept,
        "CGO_ENABLED": "0",
        "GOFLAGS": "-buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


# --- the build -----------------------------------------------------------------------------------


def _build(go: Go, target: Path, progress: Report) -> None:
    _say(progress, "Looking what has to be built", 0, 0, None)
    _check_disk(go, target, modules=_modules_missing(go), share=1.0 if _modules_missing(go) else 0.0)
    packages = _read_packages(go, progress)
    stale = sum(packages.values())
    _check_disk(go, target, modules=False, share=stale / max(1, len(packages)))
    target.parent.mkdir(parents=True, exist_ok=True)
    for leftover in target.parent.glob(".build-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix=".build-", dir=target.parent))
    try:
        _compile(go, draft / BINARY, len(packages), len(packages) - stale, progress)
        link_components(draft)
        draft.chmod(0o755)
        if target.exists():
            shutil.rmtree(target)
        draft.replace(target)
        _forget_others(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _forget_others(target: Path) -> None:
    """Binaries of older sources go, but those a cluster still runs from."""
    running = set()
    for exe in Path("/proc").glob("[0-9]*/exe"):
        with suppress(OSError):
            running.add(exe.readlink().parent)
    for other in target.parent.iterdir():
        if other != target and re.fullmatch(r"[0-9a-f]{16}", other.name) and other not in running:
            shutil.rmtree(other, ignore_errors=True)


def _read_packages(go: Go, progress: Report) -> dict[str, bool]:
    """Every package of the binary -> whether it has yet to be compiled. Fetches missing modules."""
    argv = [go.command, "list", *_FLAGS, "-deps", "-f", "{{.ImportPath}} {{.Stale}}", "."]
    fetched = 0
    found: dict[str, bool] = {}
    said: list[str] = []
    for stream, line in _lines(argv):
        if stream == "out":
            name, _, stale = line.rpartition(" ")
            found[name] = stale == "true"
        elif line.startswith("go: downloading"):
            fetched += 1
            _say(progress, f"Fetching Kubernetes' sources ({fetched} modules so far)", 0, 0, None)
        else:
            said.append(line)
    if not found:
        raise explain(said)
    return found


def _compile(go: Go, output: Path, total: int, cached: int, progress: Report) -> None:
    argv = [go.command, "build", "-v", *_FLAGS, "-ldflags", _STAMPS, "-o", str(output), "."]
    done, said, began, shown = cached, [], time.monotonic(), 0.0
    for _, line in _lines(argv):
        if not _is_package(line):
            said.append(line)
            continue
        done = min(total, done + 1)
        now = time.monotonic()
        if now - shown >= _SHOW_EVERY:
            shown = now
            left = seconds_left(cached / total, done / total, now - began)
            _say(progress, "Compiling Kubernetes", done, total, left)
    if not output.exists():
        raise explain(said)
    _say(progress, "Kubernetes is compiled", total, total, 0.0)


def _is_package(line: str) -> bool:
    """`go build -v` prints import paths; everything else is a message."""
    return bool(line) and " " not in line and not line.startswith("#")


def seconds_left(start: float, now: float, elapsed: float) -> float | None:
    """Time left when the share of compiled packages went from `start` to `now`. Pure.

    None during the first seconds, when any figure would jump.
    """
    spent = share_of_time(now) - share_of_time(start)
    if elapsed < 5.0 or spent < 0.005:
        return None
    return elapsed * (1.0 - share_of_time(now)) / spent


def share_of_time(packages: float) -> float:
    """The share of a cold build's time after this share of its packages. Pure."""
    for (x0, y0), (x1, y1) in pairwise(_COURSE):
        if packages <= x1:
            return y0 + (y1 - y0) * (packages - x0) / (x1 - x0)
    return _COURSE[-1][1]


def _lines(argv: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(stream, line) of a command run at low priority, which ends when we end."""
    gentle = ["nice", "-n", "10"]
    if shutil.which("ionice"):
        gentle += ["ionice", "-c", "2", "-n", "7"]
    if shutil.which("setpriv"):
        # A build nobody waits for would keep both processors busy for minutes.
        gentle = ["setpriv", "--pdeathsig", "TERM", *gentle]
    try:
        with subprocess.Popen(
            [*gentle, *argv],
            cwd=SOURCES,
            env=_env(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                for line in process.stdout or ():
                    text = line.rstrip()
                    is_answer = "list" in argv and re.fullmatch(r"\S+ (true|false)", text)
                    yield ("out" if is_answer else "err", text)
            except BaseException:
                process.terminate()
                raise
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise explain([str(error)]) from error
        raise BuildFailed(f"{argv[0]} cannot be started: {error}.") from error


def explain(said: Sequence[str]) -> BuildFailed:
    """From what Go wrote to a sentence and a next step. Pure."""
    text = "\n".join(said)
    if "no space left on device" in text.lower():
        return BuildFailed(
            "The disk ran full while the cluster was built.",
            "Free about 5 GB, then start again: the build goes on where it stopped.",
        )
    if re.search(
        r"dial tcp|no such host|i/o timeout|TLS handshake|connection re|proxyconnect|unexpected EOF", text
    ):
        return BuildFailed(
            "The sources of Kubernetes could not be fetched: the Go module proxy does not answer.",
            "Connect this machine to a network, or set GOPROXY, then start again.",
        )
    if "signal: killed" in text or "cannot allocate memory" in text:
        return BuildFailed(
            "The build was killed, most likely because memory ran out.",
            "Free 2 GB of memory, then start again: the build goes on where it stopped.",
        )
    last = next((line for line in reversed(said) if line.strip()), "it said nothing")
    return BuildFailed(
        f"Kubernetes could not be built: {last}", "Start again: the build goes on where it stopped."
    )


# --- room ----------------------------------------------------------------------------------------


def _go_env(go: Go, name: str) -> Path:
    done = subprocess.run([go.command, "env", name], capture_output=True, text=True, check=False, env=_env())
    return Path(done.stdout.strip() or Path.home())


def _modules_missing(go: Go) -> bool:
    return not (_go_env(go, "GOMODCACHE") / f"k8s.io/kubernetes@{VERSION}").exists()


def _check_disk(go: Go, target: Path, *, modules: bool, share: float) -> None:
    """Raises BuildFailed when the rest of the build does not fit; `share` of the packages is left."""
    wanted = [(target, _BINARY_BYTES), (_go_env(go, "GOCACHE"), int(_CACHE_BYTES * share))]
    if modules:
        wanted.append((_go_env(go, "GOMODCACHE"), _MODULES_BYTES))
    needs: dict[int, tuple[Path, int]] = {}
    for path, size in wanted:
        place = next(folder for folder in (path, *path.parents) if folder.exists())
        device = place.stat().st_dev
        needs[device] = (place, needs.get(device, (place, 0))[1] + size)
    for place, size in needs.values():
        free = shutil.disk_usage(place).free
        if free < size:
            raise BuildFailed(
                f"Building the cluster needs {size / 1e9:.1f} GB of disk, "
                f"and {free / 1e9:.1f} GB are free at {place}.",
                "Free some space, then start again.",
            )


def _say(progress: Report, text: str, done: int, total: int, left: float | None) -> None:
    progress(Progress("binary", text, done, total, left))
