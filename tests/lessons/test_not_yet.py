"""What the linter lets through is what the rest of the product runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lessons import not_yet
from lessons.traffic_loading import PROBE_KINDS, TOOLBOX_KINDS
from sandbox.cluster.kinds import WATCHED
from sandbox.faults.registry import FAULTS
from sandbox.observing.toolbox_asking import argv_for
from sandbox.probing import spec_for
from sandbox.record.cel_names import KINDS
from sandbox.record.exercise import Probe


def test_faults_are_those_of_the_injector():
    assert set(FAULTS) == not_yet.FAULTS


def test_every_kind_that_may_be_named_is_watched_or_refused():
    assert KINDS - {kind.name for kind in WATCHED} == not_yet.UNSEEN


@pytest.mark.parametrize("kind", PROBE_KINDS)
def test_probes_are_those_of_the_prober_and_of_the_toolbox(kind):
    probe = Probe(id="front", kind=kind, target="storefront:80", argv=("true",))
    if kind in TOOLBOX_KINDS:
        assert argv_for(probe, "nonce")
    else:
        with pytest.raises(ValueError, match=kind):
            argv_for(probe, "nonce")
    if kind in not_yet.PROBES - {"exec"}:
        assert spec_for(probe, "n").id == "front"
    else:
        with pytest.raises(ValueError, match=kind):
            spec_for(probe, "n")


def test_scenes_are_those_the_picture_draws():
    source = (Path(__file__).parents[2] / "frontend/src/picture/scenes.ts").read_text()
    drawn = set(re.findall(r'^  "?([a-z-]+)"?: \(\) => import', source, re.MULTILINE))
    layouts = {"control-plane"}
    assert drawn - layouts | {"cluster"} == not_yet.SCENES


MARKS = "marks:\n  rollout: {each: Deployment, when: 'old != null && object.spec.template != old.spec.template'}\n"


def test_a_mark_is_no_moment_of_the_picture(bench):
    """The page would wait for it for ever; checks know when it was."""
    bench.replace("exercise.yaml", "checks:\n", f"{MARKS}checks:\n")
    bench.replace(
        "lesson.md", ":::{compare} kill.start .. kill.start+20s", ":::{compare} kill.start .. rollout+5s"
    )
    found = [each for each in bench.lint() if each.code == "L005"]
    assert [each.message for each in found] == ["compare of rollout+5s (a mark) needs a newer Glasshull"]
    assert found[0].line == bench.line_of("lesson.md", ":::{compare}")


def test_a_prediction_is_a_moment_of_the_picture(bench):
    bench.replace("lesson.md", ":::{compare} kill.start ..", ":::{compare} who-returns ..")
    assert bench.lint() == []
