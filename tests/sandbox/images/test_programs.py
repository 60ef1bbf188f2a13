"""The compiled programs of our images, built by the machine's own compilers."""

from __future__ import annotations

import os
import shutil
import signal
import struct
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.embedded.images import tools
from sandbox.embedded.images.workshop import SOURCES
from sandbox.terminal import frame

needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
needs_go = pytest.mark.skipif(shutil.which("go") is None, reason="go is not installed")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("programs")

    def program(name: str) -> Path:
        output = folder / name
        if not output.exists():
            tools.compile_c(SOURCES / name / f"{name}.c", output)
        return output

    return program


def terminal(built: Callable[[str], Path], *argv: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [built("terminal"), "90", "30", *argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    )


def read_until(process: subprocess.Popen[bytes], wanted: bytes) -> bytes:
    said = b""
    assert process.stdout is not None
    while wanted not in said:
        more = os.read(process.stdout.fileno(), 65536)
        assert more, f"ended after {said!r}"
        said += more
    return said


def alive(marker: str) -> bool:
    return subprocess.run(["pgrep", "-f", marker], capture_output=True, check=False).returncode == 0


@needs_gcc
@pytest.mark.timeout(20)
def test_terminal_gives_a_sized_pty_and_the_programs_exit_code(built):
    with terminal(built, "sh", "-c", "stty size; read x; stty size; exit 7") as process:
        assert b"30 90" in read_until(process, b"\n")
        # A frame cut anywhere is put together again.
        sent = frame(b"r", struct.pack(">HH", 100, 40)) + frame(b"?", b"unknown") + frame(b"d", b"go\n")
        for byte in sent:
            process.stdin.write(bytes([byte]))
        assert b"40 100" in read_until(process, b"100\r\n")
        assert process.wait(5) == 7


@needs_gcc
@pytest.mark.timeout(20)
@pytest.mark.parametrize("ignored", [False, True], ids=["as usual", "started by nohup"])
def test_terminal_ends_everything_when_its_input_ends(built, ignored):
    first, second = (f"{90_000 + os.getpid() % 10_000 + n}.25" for n in (0, 1))
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
    with terminal(built, "sh", "-c", f"sleep {first} & sleep {second}") as process:
        signal.signal(signal.SIGHUP, before)
        deadline = time.monotonic() + 5
        while not (alive(f"sleep {first}") and alive(f"sleep {second}")):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.stdin.close()
        assert process.wait(5) == 129
        deadline = time.monotonic() + 5
        while alive(f"^sleep {first}") or alive(f"^sleep {second}"):
            assert time.monotonic() < deadline
            time.sleep(0.05)


@needs_gcc
@pytest.mark.timeout(20)
def test_terminal_hangs_up_though_nobody_reads_and_nobody_listens(built):
    """`yes` with a full output and 300 kB typed at it."""
    with terminal(built, "yes") as process:
        process.stdin.write(frame(b"d", b"x" * 300_000))
        process.stdin.close()
        assert process.wait(5) == 129


@needs_gcc
@pytest.mark.timeout(20)
def test_terminal_delivers_the_last_words_and_names_what_is_missing(built):
    with terminal(built, "seq", "1", "50000") as process:
        said = process.stdout.read()
        assert said.count(b"\n") == 50_000
        assert said.endswith(b"50000\r\n")
        assert process.wait(5) == 0
    with terminal(built, "no-such-program") as process:
        assert b"No such file" in process.stdout.read()
        assert process.wait(5) == 127


@needs_gcc
@pytest.mark.timeout(20)
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_pause_waits_and_leaves_when_asked(built, sent):
    with subprocess.Popen([built("pause")]) as process:
        time.sleep(0.2)
        process.send_signal(signal.SIGCHLD)
        time.sleep(0.1)
        assert process.poll() is None
        process.send_signal(sent)
        assert process.wait(2) == 0


@needs_gcc
def test_compiling_twice_gives_the_same_bytes(built, tmp_path: Path):
    again = tmp_path / "elsewhere"
    tools.compile_c(SOURCES / "pause" / "pause.c", again)
    assert again.read_bytes() == built("pause").read_bytes()


@needs_go
@pytest.mark.timeout(240)
def test_prober_and_fetch_pass_their_own_tests():
    environment = {**os.environ, "GOFLAGS": "", "GOWORK": "off", "GOTOOLCHAIN": "local"}
    done = subprocess.run(
        ["go", "test", "./..."],
        cwd=SOURCES / "golang",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
