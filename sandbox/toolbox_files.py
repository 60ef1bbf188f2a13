"""Files in the home of a student's toolbox, written and read over exec."""

from __future__ import annotations

from pathlib import PurePosixPath

from sandbox.cluster.client import ClusterClient
from sandbox.errors import SandboxError
from sandbox.exec_stream import run

HOME = PurePosixPath("/home/student")
LARGEST_FILE = 1 << 20
TIMEOUT_S = 10.0

# Written beside and renamed, so that a reader sees the old file or the new one. `head` counts, so that a stream
# that breaks in the middle leaves the old file: the end of input alone would not tell.
_WRITE = """umask 077
new="$1.new.$$"
mkdir -p "$(dirname "$1")" || exit
head -c "$2" > "$new" && [ "$(wc -c < "$new")" -eq "$2" ] &&
  chmod "$3" "$new" && mv -f "$new" "$1"
code=$?
rm -f "$new"
cat > /dev/null
exit $code
"""
_READ = """[ -f "$1" ] || exit 44
head -c "$2" "$1"
"""
_NO_SUCH_FILE = 44


class PathRefused(SandboxError):
    """The path is not one of a file under the student's home."""


class FileTrouble(SandboxError):
    """The toolbox could not write or read the file (home full, not a file, too large)."""


def home_path(path: str) -> str:
    """The absolute path of `path`, given relative to the home or absolute within it. Raises PathRefused."""
    pure = PurePosixPath(path)
    inside = pure.relative_to(HOME) if pure.is_relative_to(HOME) else pure
    if inside.is_absolute() or not inside.parts or ".." in inside.parts or "\0" in path or len(path) > 255:
        raise PathRefused(f"{path!r} is not a file in the home folder; use a name such as shop.yaml.")
    return str(HOME / inside)


async def write_file(
    client: ClusterClient,
    namespace: str,
    pod: str,
    path: str,
    content: bytes,
    *,
    container: str = "toolbox",
    mode: int = 0o644,
) -> None:
    """Write a whole file, or leave the old one. Raises PathRefused, FileTrouble, ApiError, ClusterUnavailable."""
    place = home_path(path)
    if len(content) > LARGEST_FILE:
        raise FileTrouble(f"{path} has {len(content)} bytes; the toolbox takes files up to 1 MiB.")
    # `stdin` must not be empty, or there would be none to end: the surplus byte is thrown away.
    argv = ["sh", "-c", _WRITE, "sh", place, str(len(content)), f"{mode:o}"]
    done = await run(client, namespace, pod, container, argv, stdin=content + b"\n", timeout=TIMEOUT_S)
    if done.code != 0:
        said = done.stderr.decode("utf-8", "replace").strip() or done.reason
        raise FileTrouble(f"{path} could not be written in the toolbox: {said or 'its home is full?'}")


async def read_file(
    client: ClusterClient, namespace: str, pod: str, path: str, *, container: str = "toolbox"
) -> bytes | None:
    """A file's content, None when there is none. Raises PathRefused, FileTrouble, ApiError, ClusterUnavailable."""
    argv = ["sh", "-c", _READ, "sh", home_path(path), str(LARGEST_FILE + 1)]
    done = await run(client, namespace, pod, container, argv, timeout=TIMEOUT_S, limit=LARGEST_FILE + 2)
    if done.code == _NO_SUCH_FILE:
        return None
    if done.code != 0:
        raise FileTrouble(
            f"{path} could not be read: {done.stderr.decode('utf-8', 'replace').strip() or done.reason}"
        )
    if len(done.stdout) > LARGEST_FILE:
        raise FileTrouble(f"{path} is larger than 1 MiB.")
    return done.stdout
