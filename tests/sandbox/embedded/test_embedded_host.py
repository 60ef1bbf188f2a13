"""Who holds an instance, and how the machine was: with folders of the test's own."""

import json

import pytest

from sandbox.embedded import host
from sandbox.embedded.errors import HostUnfit
from sandbox.embedded.layout import Layout
from sandbox.embedded.plan import ClusterPlan


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A stand-in for what belongs to the machine: settings, hard-coded folders, living processes."""
    settings = {"net/ipv4/ip_forward": "0"}
    living = {"ids": set()}
    monkeypatch.setattr(host, "_how_it_was", lambda: {"boot": host.read_boot_id(), "sysctls": dict(settings)})
    restored = []
    monkeypatch.setattr(host, "_restore", lambda before: restored.append(before["sysctls"]) or [])
    monkeypatch.setattr(host, "marked_pids", lambda mark: [1] if mark in living["ids"] else [])
    return {
        "claims": tmp_path / "claims",
        "settings": settings,
        "living": living["ids"],
        "restored": restored,
    }


def layout(tmp_path, home, instance):
    return Layout(tmp_path / home, ClusterPlan(instance))


def test_the_last_one_restores_what_the_first_one_saved(machine, tmp_path):
    one, two = layout(tmp_path, "a", 1), layout(tmp_path, "a", 2)
    host.claim(one, machine["claims"])
    machine["settings"]["net/ipv4/ip_forward"] = "1"
    host.claim(two, machine["claims"])
    assert host.release(one, machine["claims"]) == []
    assert machine["restored"] == []
    host.release(two, machine["claims"])
    assert machine["restored"] == [{"net/ipv4/ip_forward": "0"}]
    assert not machine["claims"].exists()


def test_two_homes_cannot_hold_one_instance(machine, tmp_path):
    one, other = layout(tmp_path, "a", 1), layout(tmp_path, "b", 1)
    host.claim(one, machine["claims"])
    machine["living"].add(one.id)
    with pytest.raises(HostUnfit, match="already runs from") as caught:
        host.claim(other, machine["claims"])
    assert str(tmp_path / "a") in caught.value.remedy
    host.claim(one, machine["claims"])


def test_an_instance_whose_holder_is_dead_can_be_taken_over(machine, tmp_path):
    host.claim(layout(tmp_path, "a", 1), machine["claims"])
    other = layout(tmp_path, "b", 1)
    host.claim(other, machine["claims"])
    assert host.read_holder(1, machine["claims"]) == (other.state, other.id)


def test_claims_from_before_the_last_boot_count_for_nothing(machine, tmp_path):
    one = layout(tmp_path, "a", 1)
    host.claim(one, machine["claims"])
    for file in machine["claims"].iterdir():
        file.write_text(json.dumps({**json.loads(file.read_text()), "boot": "another"}))
    assert host.read_holder(1, machine["claims"]) is None
    machine["settings"]["net/ipv4/ip_forward"] = "7"
    host.claim(one, machine["claims"])
    host.release(one, machine["claims"])
    assert machine["restored"] == [{"net/ipv4/ip_forward": "7"}], "saved anew after the boot"


def test_releasing_what_nobody_claimed_is_fine(machine, tmp_path):
    assert host.release(layout(tmp_path, "a", 1), machine["claims"]) == []
    assert machine["restored"] == []
