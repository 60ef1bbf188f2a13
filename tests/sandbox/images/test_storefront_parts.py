"""The pure parts of the shop's common code."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys

import pytest

from sandbox.embedded.images.workshop import SOURCES

UID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


@pytest.fixture(scope="module")
def chandlery():
    sys.path.insert(0, str(SOURCES / "shop"))
    try:
        yield lambda name: importlib.import_module(f"chandlery.{name}")
    finally:
        sys.path.remove(str(SOURCES / "shop"))


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


@pytest.mark.parametrize("text", ['{"a": [1, 2.5, "\\u00e9", null, true]}', " 3 ", '"x"', "[]"])
def test_json_is_read_as_json(chandlery, text):
    assert chandlery("text").from_json(text) == json.loads(text)


@pytest.mark.parametrize("text", ["", "{", '{"a" 1}', "[1,", '"abc', "NaN", "{} {}", "-", "[" * 60_000])
def test_what_is_no_json_is_refused(chandlery, text):
    with pytest.raises(ValueError, match=r".+"):
        chandlery("text").from_json(text)


@pytest.mark.parametrize(
    ("headers", "place"),
    [
        ({"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}, ("a" * 32, "b" * 16, True)),
        ({"traceparent": f"00-{'a' * 32}-{'b' * 16}-00"}, ("a" * 32, "b" * 16, False)),
        ({"traceparent": f"cc-{'a' * 32}-{'b' * 16}-01-later"}, ("a" * 32, "b" * 16, True)),
        ({"b3": f"{'c' * 16}-{'d' * 16}-1-{'e' * 16}"}, ("c" * 16, "d" * 16, True)),
        ({"b3": f"{'c' * 32}-{'d' * 16}-0"}, ("c" * 32, "d" * 16, False)),
        ({"x-b3-traceid": "e" * 32, "x-b3-spanid": "f" * 16}, ("e" * 32, "f" * 16, True)),
        ({"traceparent": f"00-{'0' * 32}-{'b' * 16}-01"}, None),
        ({"traceparent": f"00-{'A' * 32}-{'b' * 16}-01"}, None),
        ({"traceparent": "nonsense"}, None),
        ({"b3": "0"}, None),
        ({}, None),
    ],
)
def test_trace_headers_of_three_spellings(chandlery, headers, place):
    assert chandlery("tracing").read_headers(headers) == place


@pytest.mark.parametrize("url", ["stock", "https://stock", "http://", "http://stock/page", "http://stock:x"])
def test_an_address_without_sense_is_refused(chandlery, url):
    with pytest.raises(ValueError, match=r".+"):
        chandlery("upstream").Remote(url)


def test_a_breaker_spares_a_failed_part_and_tries_it_with_one_request(chandlery, monkeypatch):
    upstream = chandlery("upstream")
    now = 100.0
    monkeypatch.setattr(upstream.time, "monotonic", lambda: now)
    breaker = upstream.Breaker()
    assert breaker.lets_through()
    breaker.note(reached=False)
    assert not breaker.lets_through()
    now += upstream.REST
    assert [breaker.lets_through(), breaker.lets_through()] == [True, False]
    breaker.note(reached=True)
    assert [breaker.lets_through(), breaker.lets_through()] == [True, True]


@pytest.mark.parametrize(
    "value",
    [None, [], {}, {"whale": 1}, {"rope-12": 0}, {"rope-12": 1001}, {"rope-12": True}, {"rope-12": "1"}],
)
def test_what_is_no_order_is_refused(chandlery, value):
    with pytest.raises(ValueError, match="items: "):
        chandlery("goods").wanted(value)


def test_both_stocks_sell_the_same_goods(chandlery):
    source = (SOURCES / "golang" / "stock" / "shelves.go").read_text()
    named = source.partition("var goods = []string{")[2].partition("}")[0]
    assert {word.strip().strip('"') for word in named.split(",")} == set(chandlery("goods").IDS)


def test_tides_take_turns_and_the_next_one_comes_first():
    sys.path.insert(0, str(SOURCES / "shop"))
    try:
        spec = importlib.util.spec_from_file_location("release_1_1", SOURCES / "shop/releases/1.1/release.py")
        release = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(release)
    finally:
        sys.path.remove(str(SOURCES / "shop"))
    found = release.tides(1_800_000_000.0)
    assert [tide["water"] for tide in found] in (["high", "low"] * 2, ["low", "high"] * 2)
    assert [tide["time"] for tide in found] == sorted(tide["time"] for tide in found)
    assert found[0]["time"] >= "2027-01-15 08:00"


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
