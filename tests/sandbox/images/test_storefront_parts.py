"""The pure parts of the shop's common code."""

from __future__ import annotations

import importlib
import json
import sys

import pytest

from sandbox.embedded.images.workshop import SOURCES

UID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


@pytest.fixture(scope="module")
def chandlery():
    sys.path.insert(0, str(SOURCES / "storefront"))
    try:
        yield lambda name: importlib.import_module(f"chandlery.{name}")
    finally:
        sys.path.remove(str(SOURCES / "storefront"))


@pytest.mark.parametrize(
    "text",
    [
        f"4:memory:/n1/kubepods/burstable/pod{UID}/5d41402abc4b2a76b9719d911017c592",
        f"0::/kubepods.slice/kubepods-besteffort-pod{UID.replace('-', '_')}.slice/cri-1.scope",
        f"612 601 0:45 /var/lib/kubelet/pods/{UID}/etc-hosts /etc/hosts rw - ext4 /dev/sda rw",
        f"1:a:/podman/x\n4:memory:/kubepods/pod{UID}/5d41",
    ],
)
def test_the_pod_uid_is_found_in_what_the_kernel_shows(chandlery, text):
    assert chandlery("identity").find_pod_uid(text) == UID


@pytest.mark.parametrize(
    "text", ["", "0::/", "12:pids:/user.slice/pod-of-whales/aaaaaaaa", f"1:x:/pod{UID[:-1]}g"]
)
def test_no_pod_uid_outside_a_cluster(chandlery, text):
    assert chandlery("identity").find_pod_uid(text) == ""


@pytest.mark.parametrize("value", [None, True, 3, 1.5, 'a"\\\n<é\x01', ["x", {"y": []}], {}])
def test_json_is_json(chandlery, value):
    assert json.loads(chandlery("text").to_json(value)) == value


@pytest.mark.parametrize(
    ("text", "seconds"), [("8s", 8), ("300ms", 0.3), ("2m", 120), ("1.5", 1.5), ("0", 0)]
)
def test_durations(chandlery, text, seconds):
    assert chandlery("text").parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "-1s", "2h", "nan", "1e9s"])
def test_durations_without_sense(chandlery, text):
    with pytest.raises(ValueError, match=r".+"):
        chandlery("text").parse_duration(text)


def test_queries_and_escapes(chandlery):
    assert chandlery("text").parse_query("a=1&b=%C3%A9+x&a=2&c&d=%zz") == {
        "a": "2",
        "b": "é x",
        "c": "",
        "d": "%zz",
    }


@pytest.mark.parametrize("share", [0.1, 0.25, 0.33, 0.5, 0.75, 1.0])
def test_failures_are_spread_evenly(chandlery, share):
    switches = chandlery("switches").Switches()
    switches.turn(f"error={share}")
    assert sum(switches.next_fails() for _ in range(300)) == pytest.approx(300 * share, abs=2)
