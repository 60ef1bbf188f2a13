"""The cheapest tier that has everything."""

import pytest

from sandbox.tiers import CapabilityUnknown, cheapest_tier


@pytest.mark.parametrize(
    ("capabilities", "tier", "is_open"),
    [
        ([], "namespace", True),
        (["nodes.read"], "namespace", True),
        (["nodes.read", "multi-node"], "namespace", True),
        (["nodes.read", "control-plane"], "own-cluster", False),
        (["images.build"], "build", False),
        (["vm"], "machine", False),
    ],
)
def test_cheapest(capabilities, tier, is_open):
    found = cheapest_tier(capabilities)
    assert (found.name, found.is_open) == (tier, is_open)
    assert found.is_open or found.why_not


@pytest.mark.parametrize(
    ("capabilities", "words"), [(["fly"], "No tier gives fly"), (["vm", "nodes.read"], "two lessons")]
)
def test_what_no_tier_gives(capabilities, words):
    with pytest.raises(CapabilityUnknown, match=words):
        cheapest_tier(capabilities)
