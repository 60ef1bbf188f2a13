"""Probes from the student's toolbox: which command, what its output says, and that a slow one delays nobody."""

from __future__ import annotations

import asyncio

import pytest

from sandbox.errors import ClusterUnavailable
from sandbox.exec_stream import ExecResult, ExecTimeout
from sandbox.observing import toolbox_asking
from sandbox.observing.toolbox_asking import MOST_OPEN, ToolboxProber, argv_for, read_output
from sandbox.plan import plan_for
from sandbox.probing import ProbeResult, evaluate
from sandbox.record.exercise import Probe

PLAN = plan_for("a", pods=2, memory=64 * 2**20, cpu=0.2)
HTTP = Probe(id="front", kind="http", target="storefront:80/whoami", origin="toolbox")
DNS = Probe(id="name", kind="dns", target="storefront", origin="toolbox")
EXEC = Probe(
    id="config", kind="exec", target="", argv=("kubectl", "get", "pods"), origin="toolbox", timeout=2.5
)
ABOUT = ProbeResult(sandbox="box", id="p", nonce="n1")


def ran(code: int | None, text: str = "", reason: str = "") -> ExecResult:
    return ExecResult(code, text.encode(), b"", reason)


def test_the_commands_are_those_a_student_could_type():
    assert argv_for(HTTP, "n1")[:4] == ("curl", "-s", "-i", "-m")
    assert argv_for(HTTP, "n1")[-1] == "http://storefront:80/whoami"
    assert "X-Glasshull-Nonce: n1" in argv_for(HTTP, "n1")
    assert argv_for(DNS, "n1") == ("nslookup", "storefront")
    assert argv_for(EXEC, "n1") == ("timeout", "3", "kubectl", "get", "pods")
    with pytest.raises(ValueError, match="tcp"):
        argv_for(Probe(id="t", kind="tcp", target="a:1"), "n1")


def test_an_answer_is_read_with_its_status_and_who_gave_it():
    text = (
        'HTTP/1.1 503 Service Unavailable\r\nX-Glasshull-Nonce: n1\r\nX-Glasshull-Pod-Uid: u\r\n\r\n{"a": 1}'
    )
    heard = read_output(HTTP, ABOUT, ran(0, text))
    assert (heard.ok_transport, heard.status, heard.body) == (True, 503, '{"a": 1}')
    assert evaluate(heard, {"u"}).ok
    assert not evaluate(heard, {"v"}).ok


@pytest.mark.parametrize("status", ["", "²", "9" * 5000, "-1", "200x", "ok"])
def test_a_status_that_is_none_stops_nobody(status: str):
    heard = read_output(HTTP, ABOUT, ran(0, f"HTTP/1.1 {status}\r\nX-Glasshull-Nonce: n1\r\n\r\nhello"))
    assert (heard.ok_transport, heard.status, heard.body) == (True, 0, "hello")


@pytest.mark.parametrize(
    ("probe", "result", "error"),
    [
        (HTTP, ran(6), "no such host"),
        (HTTP, ran(7), "refused"),
        (HTTP, ran(28), "timeout"),
        (HTTP, ran(3), "exit code 3"),
        (HTTP, ran(None, reason="no such program"), "no such program"),
        (DNS, ran(1, "** server can't find storefront: NXDOMAIN\n"), "no such host"),
        (EXEC, ran(143), "timeout"),
    ],
)
def test_what_went_wrong_has_the_names_of_the_prober(probe: Probe, result: ExecResult, error: str):
    heard = read_output(probe, ABOUT, result)
    assert (heard.ok_transport, heard.error) == (False, error)


def test_names_and_programs():
    text = "Server:    10.152.183.10\n\nName:      storefront\nAddress:   10.1.0.9\nAddress:   10.1.0.8\n"
    assert read_output(DNS, ABOUT, ran(0, text)).body == '{"answers": ["10.1.0.8", "10.1.0.9"]}'
    failed = read_output(EXEC, ABOUT, ran(1, "no"))
    assert (failed.ok_transport, failed.status, failed.body) == (True, 1, "no")


async def test_a_slow_program_delays_nobody_and_few_are_open(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(toolbox_asking, "SHORTEST_EVERY", 0.01)
    started, heard = [], []

    async def run(_plan, argv, timeout):
        started.append(argv)
        if len(started) == 1:
            raise ExecTimeout("too slow")
        if len(started) == 2:
            raise ClusterUnavailable("away")
        await asyncio.sleep(60)

    prober = ToolboxProber(run, heard.append)
    prober.start("box", PLAN, Probe(id="front", kind="exec", target="", argv=("true",), every=0.01))
    await asyncio.sleep(0.3)
    assert len(started) == MOST_OPEN + 2
    assert [(each.id, each.error) for each in heard] == [
        ("front", "timeout")
    ]  # a cluster away has seen nothing
    prober.stop("box")
    await asyncio.sleep(0)
    prober.stop("box")
