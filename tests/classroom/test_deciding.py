from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classroom.workspaces.cluster_steps import limit_for, memory_bytes
from classroom.workspaces.deciding import decide, retry_pause, sandboxes_that_fit
from classroom.workspaces.models import RUNNING, Phase, Sandbox
from classroom.workspaces.phases import note_phase, warning_due

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def row(minute: int, phase: str, **more: Any) -> Sandbox:
    return Sandbox(created=NOW - timedelta(minutes=60 - minute), phase=phase, **more)


def verbs(rows: list[Sandbox], limit: int) -> list[tuple[str, int]]:
    by_id = {step.sandbox: step for step in decide(rows, NOW, limit)}
    return [(by_id[str(each.pk)].verb, by_id[str(each.pk)].place) for each in rows]


def test_first_come_first_served_and_the_rest_get_a_place() -> None:
    rows = [row(3, "requested"), row(1, "requested"), row(2, "requested"), row(0, "open")]
    assert verbs(rows, 2) == [("queue", 2), ("prepare", 0), ("queue", 1), ("keep", 0)]


def test_F24_nobody_loses_a_running_sandbox_when_the_limit_shrinks() -> None:
    rows = [row(0, "open"), row(1, "ready"), row(2, "preparing"), row(3, "requested")]
    assert verbs(rows, 1) == [("keep", 0), ("keep", 0), ("prepare", 0), ("queue", 1)]


@pytest.mark.parametrize(
    ("fields", "verb"),
    [
        ({"phase": "open", "ends": True}, "remove"),
        ({"phase": "requested", "ends": True}, "remove"),
        ({"phase": "expiring"}, "remove"),
        ({"phase": "open", "expires": NOW - timedelta(seconds=1)}, "remove"),
        ({"phase": "open", "expires": NOW + timedelta(seconds=1)}, "keep"),
        ({"phase": "resetting"}, "keep"),
        ({"phase": "preparing"}, "prepare"),
    ],
)
def test_one_step_per_phase(fields: dict[str, Any], verb: str) -> None:
    assert verbs([row(0, **fields)], 5) == [(verb, 0)]


@given(
    st.lists(st.sampled_from([phase for phase in Phase if phase != Phase.REMOVED]), max_size=12),
    st.integers(0, 8),
)
def test_the_limit_holds_and_places_have_no_holes(phases: list[Phase], limit: int) -> None:
    rows = [row(number, phase) for number, phase in enumerate(phases)]
    steps = decide(rows, NOW, limit)
    assert len(steps) == len(rows)
    running = sum(each.phase in RUNNING for each in rows)
    new = sum(step.verb == "prepare" for step in steps) - sum(each.phase == Phase.PREPARING for each in rows)
    assert running + new <= max(limit, running)
    places = [step.place for step in steps if step.verb == "queue"]
    assert places == list(range(1, len(places) + 1))


def test_room_is_measured_from_memory() -> None:
    assert sandboxes_that_fit(allocatable=4000, taken=400, each=600) == 5
    assert sandboxes_that_fit(allocatable=100, taken=400, each=600) == 1
    nodes = [{"status": {"allocatable": {"memory": "2Gi"}}}] * 3
    assert limit_for(nodes, 376 * 2**20) == 14


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("64Mi", 64 * 2**20),
        ("3920Ki", 3920 * 1024),
        ("1.5Gi", 3 * 2**29),
        ("1000", 1000),
        ("1M", 10**6),
        ("x", 0),
        (7, 7),
    ],
)
def test_memory_quantities(text: str | int, number: int) -> None:
    assert memory_bytes(text) == number


def test_failed_preparations_wait_longer_and_longer() -> None:
    assert [retry_pause(tries) for tries in (0, 1, 2, 3, 10)] == [1, 1, 2, 4, 60]


@pytest.mark.parametrize(
    ("left", "told", "due"),
    [
        (700, None, None),
        (600, None, 10),
        (599, 10, None),
        (180, 10, 3),
        (61, 3, None),
        (60, 3, 1),
        (5, 1, None),
        (0, 1, None),
        (50, None, 1),
    ],
)
def test_warnings_come_at_10_3_and_1_minutes_once_each(
    left: float, told: int | None, due: int | None
) -> None:
    assert warning_due(left, told) == due


def test_phases_are_named_and_timed() -> None:
    phases: list[dict[str, Any]] = []
    note_phase(phases, "namespace", None)
    note_phase(phases, "toolbox", None)
    note_phase(phases, "namespace", 40.6)
    assert phases == [{"name": "namespace", "ms": 41}, {"name": "toolbox", "ms": None}]
