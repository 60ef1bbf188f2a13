"""Only files under the student's home are written and read."""

from __future__ import annotations

import pytest

from sandbox import toolbox_files
from sandbox.exec_stream import ExecResult
from sandbox.toolbox_files import FileTrouble, PathRefused, home_path, read_file, write_file


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("shop.yaml", "/home/student/shop.yaml"),
        (".kube/config", "/home/student/.kube/config"),
        ("/home/student/a/b", "/home/student/a/b"),
        ("./x", "/home/student/x"),
        ("$(rm -rf x).yaml", "/home/student/$(rm -rf x).yaml"),
    ],
)
def test_paths_within_the_home(path: str, place: str):
    assert home_path(path) == place


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "/",
        "/etc/passwd",
        "../x",
        "a/../../x",
        "/home/student",
        "/home/students/x",
        "a\0b",
        "x" * 300,
    ],
)
def test_other_paths_are_refused(path: str):
    with pytest.raises(PathRefused, match="home folder"):
        home_path(path)


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch):
    calls: list[dict] = []
    answers: list[ExecResult] = []

    async def run(client, namespace, pod, container, argv, **options):
        calls.append({"argv": argv, **options})
        return answers.pop(0) if answers else ExecResult(0, b"", b"")

    monkeypatch.setattr(toolbox_files, "run", run)
    return calls, answers


async def test_the_path_is_an_argument_never_part_of_the_script(ran):
    calls, _ = ran
    await write_file(None, "ns", "pod", "$(reboot).yaml", b"content", mode=0o600)
    argv = calls[0]["argv"]
    assert argv[:2] == ["sh", "-c"]
    assert argv[3:] == ["sh", "/home/student/$(reboot).yaml", "7", "600"]
    assert calls[0]["stdin"].startswith(b"content")


async def test_trouble_is_told(ran):
    calls, answers = ran
    answers += [
        ExecResult(1, b"", b"No space left on device\n"),
        ExecResult(44, b"", b""),
        ExecResult(1, b"", b"denied"),
    ]
    with pytest.raises(FileTrouble, match="No space left"):
        await write_file(None, "ns", "pod", "a", b"")
    assert await read_file(None, "ns", "pod", "a") is None
    with pytest.raises(FileTrouble, match="denied"):
        await read_file(None, "ns", "pod", "a")
    with pytest.raises(FileTrouble, match="1 MiB"):
        await write_file(None, "ns", "pod", "a", b"x" * (2**20 + 1))
    assert len(calls) == 3
