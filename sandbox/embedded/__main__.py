"""`python -m sandbox.embedded up|status|down`: the cluster alone, for development."""

import argparse
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

from sandbox.embedded.building import ensure_binary
from sandbox.embedded.errors import EmbeddedError
from sandbox.embedded.plan import ClusterPlan
from sandbox.embedded.progress import Progress
from sandbox.embedded.supervising import EmbeddedCluster


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.embedded", description=__doc__)
    parser.add_argument("act", choices=("up", "status", "down"))
    parser.add_argument("--instance", type=int, default=1)
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--home", type=Path, default=_default_home())
    parser.add_argument("--binary", type=Path, help="the multi-call binary, when it is not to be built")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    try:
        return _act(asked)
    except EmbeddedError as error:
        print(error, error.remedy, file=sys.stderr)
        return 1


def _default_home() -> Path:
    return Path(os.environ.get("GLASSHULL_HOME") or Path.home() / ".local/share/glasshull")


def _act(asked: argparse.Namespace) -> int:
    home = asked.home.resolve()
    if asked.act == "up":
        return _up(_cluster(asked, home, asked.binary or ensure_binary(home, _show)))
    cluster = _cluster(asked, home, asked.binary or home / "bin" / "unknown" / "kubectl")
    if asked.act == "status":
        status = cluster.status()
        print(json.dumps(status.as_json(), indent=1) if asked.json else status.as_text())
        return 0
    left = cluster.down()
    for what in left:
        print(f"could not be removed: {what}", file=sys.stderr)
    return 1 if left else 0


def _cluster(asked: argparse.Namespace, home: Path, binary: Path) -> EmbeddedCluster:
    return EmbeddedCluster(
        ClusterPlan(asked.instance, asked.nodes),
        home,
        binary=binary,
        images=sorted((home / "images").glob("*.tar")),
        group=None,
        progress=_show,
    )


def _show(progress: Progress) -> None:
    left = "" if progress.seconds_left is None else f", about {progress.seconds_left:.0f} s left"
    print(f"{progress.phase}: {progress.text} ({progress.done}/{progress.total}{left})", flush=True)


def _up(cluster: EmbeddedCluster) -> int:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    began = time.monotonic()
    cluster.ensure_up()
    print(f"up after {time.monotonic() - began:.1f} s: {cluster.layout.admin_kubeconfig}", flush=True)
    cluster.keep(stop)
    left = cluster.down()
    for what in left:
        print(f"could not be removed: {what}", file=sys.stderr)
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
