"""Durations, quantities, anchors, selectors, targets."""

from __future__ import annotations

import pytest

from lessons.durations import Anchor, parse_anchor, parse_cpu, parse_duration, parse_memory, parse_rate
from lessons.targets import selector_error, target_error


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("250ms", 0.25), ("3s", 3), ("30m", 1800), ("1m30s", 90), ("1.5s", 1.5), ("24h", 86400)],
)
def test_durations(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "3", "s", "-3s", "3 s", "3d", "25h", "3s 4", "٣s"])
def test_no_durations(text):
    with pytest.raises(ValueError, match=r"duration|longer than a day"):
        parse_duration(text)


def test_quantities():
    assert parse_memory("120Mi") == 120 * 2**20
    assert parse_memory("1G") == 10**9
    assert parse_cpu("600m") == pytest.approx(0.6)
    assert parse_cpu("0.5") == pytest.approx(0.5)
    assert parse_rate("12/s") == pytest.approx(12)
    for parse in (parse_memory, parse_cpu, parse_rate):
        with pytest.raises(ValueError, match="write it like"):
            parse("lots")


@pytest.mark.parametrize(
    ("text", "anchor"),
    [
        ("start", Anchor("start", "", 0)),
        ("kill.end+5s", Anchor("kill", "end", 5)),
        ("never-empty.pass", Anchor("never-empty", "pass", 0)),
        ("rollout+1m", Anchor("rollout", "", 60)),
    ],
)
def test_anchors(text, anchor):
    assert parse_anchor(text) == anchor


@pytest.mark.parametrize(
    "text", ["", "Kill.start", "kill.begin", "kill.start+", "kill.start+5", "kill start"]
)
def test_no_anchors(text):
    with pytest.raises(ValueError, match=r"moment|duration"):
        parse_anchor(text)


@pytest.mark.parametrize(
    "text",
    ["app=storefront", "app==x", "app!=x", "app in (a,b)", "a=b,c notin (d, e)", "app.kubernetes.io/name=x"],
)
def test_selectors(text):
    assert selector_error(text) == ""


@pytest.mark.parametrize("text", ["app", "", "app=", "=x", "app=store front", "app in ()", "app=a;b"])
def test_no_selectors(text):
    assert "write key=value" in selector_error(text)


@pytest.mark.parametrize(
    "text",
    [
        "pod:app=storefront", "pod/storefront-x2", "node:*", "node:empty", "service/storefront",
        "component/scheduler",
        "edge:service/storefront->pod", "holder:lease/harbour", "layer/2", "wall/pid", "side/monolith",
    ],
)  # fmt: skip
def test_targets(text):
    assert target_error(text) == ""


@pytest.mark.parametrize(
    "text", ["pods:app", "pod:app", "pod/", "pod", "service:app=x", "edge:service/x", "x/y", ""]
)
def test_no_targets(text):
    assert "write" in target_error(text) or "name" in target_error(text)
