"""Probes and loads as an author writes them."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from lessons.exercise_loading import Draft, read_exercise
from lessons.loading import load_course
from lessons.models import Budget, Course
from lessons.problems import Problem
from lessons.yaml_source import read_yaml
from sandbox.record.exercise import Exercise
from tests.lessons.test_random_files import COURSE


@cache
def course() -> Course:
    return load_course(COURSE)


def read(
    points: int = 1, predicate: str = "probe.front.ok", **sections: Any
) -> tuple[Exercise, list[Problem]]:
    check = {"id": "c", "say": "s", "eventually": predicate, "within": "1m", "points": points}
    text = json.dumps({"task": "Do it.", "checks": [check], **sections})  # JSON is YAML, too
    problems: list[Problem] = []
    draft = Draft(course(), "t", 5, Budget(), ())
    loaded = read_exercise(read_yaml(text, "exercise.yaml"), "main", draft, problems)
    return loaded.exercise, problems


def said(problems: list[Problem]) -> list[str]:
    return [f"{each.code} {each.message}" for each in problems]


def test_loads_as_the_format_writes_them():
    exercise, problems = read(
        loads={
            "rush": {
                "http": "storefront:80/api/items",
                "rate": "12/s",
                "shape": "ramp",
                "for": "60s",
                "by": "student",
            },
            "baskets": {"script": "basket", "to": "monolith:80", "rate": "35/s", "for": "40s"},
            "browse": {"script": "browse", "rate": "4/s", "rates": ["4/s", "8/s"]},
            "morning": {"http": "storefront:80/", "rate": "0.5/s", "by": "timeline", "at": "+20s"},
        }
    )
    assert problems == []
    rush, baskets, browse, morning = exercise.loads
    assert (rush.target, rush.rate, rush.shape, rush.lasting) == (
        "storefront:80/api/items",
        12.0,
        "ramp",
        60.0,
    )
    assert (baskets.script, baskets.target, baskets.choices) == ("basket", "monolith:80", (35.0,))
    assert (browse.target, browse.choices) == ("storefront:80", (4.0, 8.0))
    assert (morning.by, morning.at) == ("timeline", 20.0)


@pytest.mark.parametrize(
    ("load", "words"),
    [
        ({"rate": "1/s"}, 'L004 load "rush": http: or script: is needed'),
        ({"http": "a:80/", "script": "browse"}, "L004 http: or script:, not both"),
        ({"http": "storefront.gh-other:80/"}, "L021 load target"),
        ({"http": "storefront.gh-other.svc.cluster.local.:80/"}, "L021 load target"),
        ({"http": "10.152.183.1:443/"}, "L021 load target"),
        ({"script": "browse", "to": "storefront.gh-other:80"}, "L021 load target"),
        ({"script": "browse", "to": "storefront:80/items"}, "write service:port"),
        ({"script": "steal"}, 'L004 script: "steal" is not one of browse, basket, order'),
        ({"http": "a:80/", "rate": "61/s"}, "L004 rate: 61/s is not possible"),
        ({"http": "a:80/", "rate": "0/s"}, "L004 rate: 0/s is not possible"),
        ({"http": "a:80/", "rates": ["2/s"]}, "L004 rates: the first one must be the rate"),
        ({"http": "a:80/", "rates": ["1/s", "fast"]}, 'L004 rates: "fast" is not a rate'),
        ({"http": "a:80/", "for": "121s"}, "L004 for: a load lasts 1s to 120s"),
        ({"http": "a:80/", "shape": "wave"}, 'L004 shape: "wave"'),
        ({"http": "a:80/", "by": "submit"}, 'L004 by: "submit"'),
        ({"http": "a:80/", "at": "+20s"}, "L004 at: is for by: timeline"),
        ({"http": "a:80/", "by": "timeline", "at": "20s"}, 'L004 at: "20s" is not a time after the start'),
    ],
)
def test_what_a_load_may_not_be(load: dict[str, Any], words: str):
    _, problems = read(loads={"rush": load})
    assert any(words in each for each in said(problems)), said(problems)


def test_probes_of_every_kind_have_an_ok_that_fits_them():
    exercise, problems = read(
        0,
        'probe["seen"].ok',
        probes={
            "front": {"http": "storefront:80/", "every": "250ms"},
            "open": {"tcp": "storefront:80"},
            "name": {"dns": "storefront", "type": "SRV"},
            "config": {"exec": ["kubectl", "get", "pods"], "every": "2s"},
            "seen": {"http": "storefront:80/", "from": "toolbox"},
        },
    )
    assert problems == []
    front, is_open, name, config, seen = exercise.probes
    assert (front.ok, is_open.ok, name.ok, config.ok) == (
        "object.status == 200", "object.ok", "object.ok", "object.status == 0",
    )  # fmt: skip
    assert (name.type, config.origin, config.argv, seen.origin) == (
        "SRV", "toolbox", ("kubectl", "get", "pods"), "toolbox",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("probe", "words"),
    [
        ({"exec": ["true"], "from": "platform"}, "L004 an exec probe runs in the toolbox"),
        ({"tcp": "a:80", "from": "toolbox"}, "L004 from: toolbox asks http, dns, exec, not tcp"),
        ({"dns": "a", "type": "SRV", "from": "toolbox"}, "L004 from: toolbox asks for addresses only"),
        ({"dns": "a", "type": "MX"}, 'L004 type: "MX"'),
        ({"http": "a:80/", "every": "50ms"}, "L004 every: 50ms is too often; 100ms is the least"),
        (
            {"exec": ["true"], "every": "500ms"},
            "L004 every: 500ms is too often from a toolbox; 1000ms is the least",
        ),
        ({"http": "a:80/", "every": "100ms", "timeout": "10s"}, "L004 timeout: more than 0, and at most 6s"),
        ({"http": "a:80/", "every": "5s", "timeout": "31s"}, "L004 timeout: more than 0, and at most 30s"),
        ({"http": "a.gh-other:80/"}, "L021 probe target"),
    ],
)
def test_what_a_probe_may_not_be(probe: dict[str, Any], words: str):
    _, problems = read(0, "probe.front.ok", probes={"front": probe})
    assert any(words in each for each in said(problems)), said(problems)


@pytest.mark.parametrize("predicate", ["probe.front.ok", 'probe["front"].status == 200', "probe['front'].ok"])
def test_what_the_toolbox_sees_earns_nothing(predicate: str):
    probes = {"front": {"http": "a:80/", "from": "toolbox"}, "fronts": {"http": "a:80/"}}
    _, problems = read(1, predicate, probes=probes)
    assert 'L028 what probe "front" sees from the toolbox is not evidence' in said(problems)
    assert read(0, predicate, probes=probes)[1] == []
    assert read(1, "probe.fronts.ok", probes=probes)[1] == []
