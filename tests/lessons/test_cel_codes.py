"""What the CEL compiler says, as the linter's code: its sentences and our codes must not drift apart."""

from __future__ import annotations

import pytest

from lessons.cel_codes import code_of
from sandbox.record.cel import CelError, Names, compile_predicate

NAMES = Names(
    params=frozenset({"replicas"}),
    probes=frozenset({"front"}),
    checks=frozenset({"never-empty"}),
    predictions=frozenset({"x"}),
)
HINT = Names(checks=frozenset({"never-empty"}), states=True, clock=True, committed=True)


@pytest.mark.parametrize(
    ("text", "names", "code"),
    [
        ("1 +", NAMES, "L022"),
        ('1 + "a" == 2', NAMES, "L022"),
        ("1 + 2", NAMES, "L022"),
        ('pods("app=x").size() > "1"', NAMES, "L022"),
        ("object.ok", NAMES, "L023"),
        ("age(one('Pod', 'x')) > duration('3s')", NAMES, "L023"),
        ('check["never-empty"] == "pass"', NAMES, "L023"),
        ('check.never-empty == "pass"', HINT, "L023"),
        ('prediction.x == "a"', NAMES, "L023"),
        ("pod.x == 1", NAMES, "L023"),
        ('objects("Pot").size() > 0', NAMES, "L023"),
        ("params.replica == 3", NAMES, "L020"),
        ("probe.frnt.ok", NAMES, "L020"),
        ('pods("app in").size() > 0', NAMES, "L021"),
        ('readyPods("app in (").size() > 0', NAMES, "L021"),
        ("true || " * 150 + "true", NAMES, "L031"),
        ('pods("").all(a, pods("").all(b, pods("").all(c, objects("Pod").all(d, true))))', NAMES, "L031"),
        (
            'objects("Service").all(a, objects("Service").all(b, objects("Service").all(c, a == b)))',
            Names(pods=40),
            None,
        ),
        ('pods("").all(a, pods("").all(b, pods("").all(c, a == b)))', Names(pods=40), "L031"),
    ],
)
def test_code(text, names, code):
    if code is None:
        compile_predicate(text, names=names)
        return
    with pytest.raises(CelError) as caught:
        compile_predicate(text, names=names)
    assert code_of(caught.value.message) == code, caught.value.message
