"""What a student is told before the hand-in, after it, and not before the course has closed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.record.causes import Causes
from sandbox.record.delta import apply
from sandbox.record.picture import Picture, fold
from tests.sandbox.record.build import Script

OF = {"say": "It holds", "of": 2, "at": 1.0}


class Told(Script):
    """A record, and every byte of it that a browser gets."""

    def __init__(self, feedback: str) -> None:
        super().__init__()
        self.picture = Picture()
        self.sent = ""
        self.items: dict[str, Any] = dict(self.picture.items)
        self.add("start", "1", {"attempt": 1, "params": {}, "until": None, "feedback": feedback})

    def add(self, kind: str, uid: str, change: dict[str, Any], source: str = "test") -> Any:
        entry = super().add(kind, uid, change, source)
        delta = self.picture.feed(entry)
        assert delta is not None
        self.items = apply(self.items, delta)
        self.sent += json.dumps(delta.set)
        return entry

    def verdict(self, state: str, points: int = 0, line: str = "waits") -> Any:
        decided = [{"seq": 1, "why": "x"}] if state in ("pass", "fail") else []
        return self.add(
            "verdict", "c", {**OF, "state": state, "points": points, "line": line, "decided_by": decided}
        )

    def predicted(self) -> None:
        self.add("prediction", "p", {"id": "p", "value": "a", "why": "No, b."})
        self.add("prediction", "p", {"id": "p", "observed": ["b"], "right": False})


def with_outcome(feedback: str) -> Told:
    run = Told(feedback)
    run.verdict("waiting")
    run.predicted()
    run.verdict("fail", line="it was seen to break")
    return run


@pytest.mark.parametrize("feedback", ["on-submit", "after-close"])
def test_before_the_hand_in_nothing_of_it_leaves_the_server(feedback: str) -> None:
    run = with_outcome(feedback)
    check = run.items["check/c"]
    assert (check["state"], check["points"], check["of"], check["seq"]) == ("waiting", 0, 2, None)
    assert check["line"].startswith("What passed is told ")
    assert run.items["attempt/now"]["text"] == check["line"]
    assert run.items["prediction/p"]["value"] == "a"
    for told in ("it was seen to break", "fail", "No, b.", '"b"', '"right": false', "did not hold"):
        assert told not in run.sent
    assert not [each for each in run.items.values() if each["t"] == "marker" and each["kind"] == "verdict"]


def test_when_it_was_decided_is_not_to_be_seen_either() -> None:
    run = Told("on-submit")
    run.verdict("waiting")
    before, run.sent = dict(run.items), ""
    run.verdict("pass", 2)
    assert run.items == before
    assert run.sent == "{}"


def test_on_submit_it_is_told_with_the_hand_in() -> None:
    run = with_outcome("on-submit")
    run.submit()
    assert run.items["check/c"]["state"] == "fail"
    assert run.items["check/c"]["line"] == "it was seen to break"
    prediction = run.items["prediction/p"]
    assert (prediction["observed"], prediction["right"], prediction["why"]) == (["b"], False, "No, b.")
    run.verdict("pass", 2)
    assert run.items["check/c"]["state"] == "pass"
    assert run.items["attempt/now"]["points"] == 2


def test_after_close_the_mark_is_not_told_by_the_page() -> None:
    run = with_outcome("after-close")
    run.submit(by="checks")
    run.verdict("pass", 2)
    run.add("handover", "", {"attempt": 1})
    run.add("mark", "", {"points": 2, "of": 2})
    attempt = run.items["attempt/now"]
    assert (attempt["state"], attempt["points"]) == ("handed-in", 0)
    assert attempt["text"] == "What passed is told after the course has closed."
    assert "every check passed" not in run.sent
    assert '"pass"' not in run.sent
    assert "marked" not in run.sent


def test_live_is_told_at_once_and_is_what_an_exercise_says_that_says_nothing() -> None:
    for feedback in ("live", ""):
        run = with_outcome(feedback)
        assert run.items["check/c"]["state"] == "fail"
        assert run.items["prediction/p"]["right"] is False


def test_a_picture_folded_later_keeps_it_back_too() -> None:
    run = with_outcome("on-submit")
    assert fold(run.entries).items == run.items
    run.submit()
    assert fold(run.entries).items == run.items


def test_a_reset_forgets_what_was_kept_back() -> None:
    run = with_outcome("on-submit")
    run.add("reset", "1", {"attempt": 1})
    run.add("start", "1", {"attempt": 1, "params": {}, "until": None, "feedback": "on-submit"})
    run.submit()
    assert "check/c" not in run.items


def test_nobody_gets_at_a_verdict_by_asking_for_its_causes() -> None:
    run = Told("on-submit")
    entry = run.verdict("fail", line="it was seen to break")
    hidden = Causes(run.entries).trace(entry.seq)
    assert "fail" not in json.dumps([each.as_json() for each in hidden])
    assert "break" not in json.dumps([each.as_json() for each in hidden])
    run.submit()
    assert "fail" in json.dumps([each.as_json() for each in Causes(run.entries).trace(entry.seq)])
