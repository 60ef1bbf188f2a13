"""What the linter lets through is what the rest of the product runs."""

from __future__ import annotations

import pytest

from lessons import not_yet
from lessons.exercise_loading import PROBE_KINDS
from sandbox.faults.registry import FAULTS
from sandbox.probing import spec_for
from sandbox.record.exercise import Probe


def test_faults_are_those_of_the_injector():
    assert set(FAULTS) == not_yet.FAULTS


@pytest.mark.parametrize("kind", PROBE_KINDS)
def test_probes_are_those_of_the_prober(kind):
    probe = Probe(id="front", kind=kind, target="storefront:80")
    if kind in not_yet.PROBES:
        assert spec_for(probe, "n").id == "front"
    else:
        with pytest.raises(ValueError, match=kind):
            spec_for(probe, "n")
