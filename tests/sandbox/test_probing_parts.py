"""What is asked, which answers count, and what the record holds."""

from __future__ import annotations

import json

import pytest

from sandbox.probing import STRANGER, ProbeResult, ProbeSummariser, evaluate, nearest_rank, spec_for
from sandbox.record.exercise import Probe

OWN = {"uid-1", "uid-2"}


@pytest.mark.parametrize(
    ("probe", "field", "asked"),
    [
        (
            Probe(id="p", kind="http", target="storefront:80/whoami"),
            "http",
            "http://storefront.gh-a.svc.cluster.local.:80/whoami",
        ),
        (
            Probe(id="p", kind="http", target="http://storefront:80/"),
            "http",
            "http://storefront.gh-a.svc.cluster.local.:80/",
        ),
        (Probe(id="p", kind="http", target="10.152.183.9:80/x"), "http", "http://10.152.183.9:80/x"),
        (Probe(id="p", kind="tcp", target="storefront:80"), "tcp", "storefront.gh-a.svc.cluster.local.:80"),
        (Probe(id="p", kind="dns", target="storefront"), "dns", "storefront.gh-a.svc.cluster.local."),
    ],
)
def test_a_lessons_probe_becomes_a_question_in_its_namespace(probe: Probe, field: str, asked: str):
    spec = spec_for(probe, "gh-a")
    assert getattr(spec, field) == asked
    assert (spec.every_ms, spec.timeout_ms) == (1000, 1000)


def test_a_question_of_the_name_service_has_a_type_and_an_answer_that_can_be_read():
    spec = spec_for(Probe(id="p", kind="dns", target="storefront", type="SRV"), "gh-a")
    assert spec.type == "SRV"
    said = evaluate(answer(is_http=False, body=body(answers=["10.1.2.3"])), OWN)
    assert said.json == {"answers": ["10.1.2.3"]}


def test_kinds_the_prober_does_not_ask_are_refused():
    with pytest.raises(ValueError, match="exec"):
        spec_for(Probe(id="p", kind="exec", target=""), "gh-a")


def answer(**changes) -> ProbeResult:
    fields = {"sandbox": "s", "id": "p", "ok_transport": True, "status": 200, "nonce": "n"}
    return ProbeResult(**{**fields, **changes})


def body(**fields) -> str:
    return json.dumps(fields)


@pytest.mark.parametrize(
    ("result", "ok", "reason"),
    [
        (answer(body=body(nonce="n", podUid="uid-1")), True, ""),
        (answer(echo_nonce="n", echo_pod_uid="uid-2", body="<html>"), True, ""),
        (answer(echo_nonce="n", echo_pod_uid="uid-2", status=500), True, ""),
        (answer(body=body(nonce="n", podUid="uid-9")), False, STRANGER),
        (answer(body=body(nonce="other", podUid="uid-1")), False, STRANGER),
        (answer(body=body(podUid="uid-1")), False, STRANGER),
        (answer(body="welcome"), False, STRANGER),
        (answer(body="[]"), False, STRANGER),
        (answer(body="{broken"), False, STRANGER),
        (answer(body="[" * 5000), False, STRANGER),
        (answer(nonce="", body=body(nonce="", podUid="uid-1")), False, STRANGER),
        (answer(ok_transport=False, error="refused"), False, "refused"),
        (answer(ok_transport=False), False, "no answer"),
        (answer(is_http=False, status=0), True, ""),
        (answer(is_http=False, body=body(answers=["10.1.2.3"])), True, ""),
    ],
)
def test_an_answer_counts_with_its_nonce_and_from_a_pod_of_this_sandbox(
    result: ProbeResult, ok: bool, reason: str
):
    verdict = evaluate(result, OWN)
    assert (verdict.ok, verdict.reason) == (ok, reason)


@pytest.mark.parametrize(
    "text",
    [
        "{" + '"x": ' + "9" * 40 + "}",
        '{"x": {"y": [1, -' + "9" * 30 + "]}}",
        '{"x": 1e999}',
        '{"x": "\\ud800"}',
        '{"x": ' + "[" * 2000 + "]" * 2000 + "}",
        '{"x": NaN}',
        '{"x": 1',
    ],
)
def test_a_body_that_predicates_could_not_read_is_only_text(text):
    assert evaluate(answer(body=text), {"u1"}).json is None


def test_good_answers_become_one_summary_a_second():
    summariser = ProbeSummariser()
    changes = [
        c for n in range(12) for c in summariser.feed("front", True, {"status": 200}, at=100 + n * 0.25)
    ]
    assert changes[0] == {"id": "front", "ok": True, "status": 200}
    assert changes[1:] == [{"id": "front", "summary": True, "sent": 4, "failed": 0}] * 2
    assert summariser.advance(103.0) == [{"id": "front", "summary": True, "sent": 4, "failed": 0}]
    assert summariser.advance(104.0) == []


def test_a_summary_names_the_pods_that_answered_the_last_one_last():
    summariser = ProbeSummariser()
    for n, uid in enumerate(["a", "b", "a", ""]):
        summariser.feed("front", bool(uid), {"podUid": uid}, at=n * 0.1)
    (summary,) = summariser.advance(5.0)
    assert summary == {"id": "front", "summary": True, "sent": 4, "failed": 1, "pods": {"b": 1, "a": 2}}
    assert list(summary["pods"]) == ["b", "a"]


def test_a_summary_says_how_long_the_good_answers_took_and_nothing_of_the_others():
    summariser = ProbeSummariser()
    for n, (ok, ms) in enumerate([(True, 4.0), (True, 9.5), (False, 2000.0), (True, 7.0)]):
        summariser.feed("front", ok, {"ms": ms}, at=n * 0.1)
    summariser.feed("back", False, {"ms": 2000.0}, at=0.1)
    front, back = summariser.advance(5.0)
    assert front["p95"] == 9.5
    assert "p95" not in back


@pytest.mark.parametrize(
    ("values", "share", "expected"), [([3.0], 0.95, 3.0), ([*range(1, 101)], 0.95, 95), ([5, 1, 4], 0.5, 4)]
)
def test_a_rank_is_one_of_the_values(values, share, expected):
    assert nearest_rank(values, share) == expected


def test_every_failure_and_every_change_is_an_entry():
    summariser = ProbeSummariser()
    outcomes = [True, True, False, False, False, True, True]
    made = [summariser.feed("p", ok, {"n": n}, at=n * 0.1) for n, ok in enumerate(outcomes)]
    assert [[change["n"] for change in changes] for changes in made] == [[0], [], [2], [3], [4], [5], []]
    assert summariser.close() == [{"id": "p", "summary": True, "sent": 7, "failed": 3}]
    assert summariser.feed("p", True, {"n": 9}, at=9) == [{"id": "p", "ok": True, "n": 9}]


def test_summaries_add_up_to_what_was_fed_whatever_the_times():
    summariser = ProbeSummariser()
    summaries: list[dict] = []
    at = 0.0
    for n in range(500):
        at += (n * 7919 % 13) / 5
        summaries += [c for c in summariser.feed(f"p{n % 3}", n % 5 != 0, {}, at) if c.get("summary")]
        summaries += summariser.advance(at)
    summaries += summariser.close()
    assert sum(s["sent"] for s in summaries) == 500
    assert sum(s["failed"] for s in summaries) == 100
