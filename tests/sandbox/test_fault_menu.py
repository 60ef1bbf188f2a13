"""What the menu offers, and what it refuses and why."""

from __future__ import annotations

import pytest

from sandbox.faults.menu import menu, refusal
from sandbox.record.fault_kinds import KINDS


def test_every_kind_is_named_in_the_order_of_the_groups():
    entries = menu()
    assert {each["kind"] for each in entries} == set(KINDS)
    groups = list(dict.fromkeys(each["group"] for each in entries))
    assert groups == ["pod", "traffic", "node", "control-plane", "config"]
    assert all(each["name"] and each["mechanism"] and each["ends"] for each in entries)
    assert len({(each["kind"], each["how"]) for each in entries}) == len(entries)


def test_every_variant_of_a_kind_has_its_line():
    lines = {(each["kind"], each["how"]) for each in menu()}
    for kind in KINDS.values():
        assert {(kind.name, how) for how in kind.hows or (None,)} <= lines


def test_what_cannot_be_had_says_why():
    refused = {each["kind"]: each["refused"] for each in menu() if each["refused"]}
    assert set(refused) == {
        "cut-traffic", "cordon-node", "drain-node", "stop-node", "kill-component", "corrupt-config", "move-tag",
    }  # fmt: skip
    assert "NetworkPolicies" in refused["cut-traffic"]
    assert all(text.endswith(".") for text in refused.values())


def test_a_value_is_corrupted_only_where_the_lesson_says_which():
    assert refusal("corrupt-config", "namespace") is not None
    assert refusal("corrupt-config", "namespace", frozenset({"corrupt-config"})) is None


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_recording_breaks_nothing(kind):
    assert "recording" in (refusal(kind, "recorded") or "")


def test_an_unknown_kind_is_no_fault():
    assert refusal("burn", "namespace") == "There is no fault called burn."
