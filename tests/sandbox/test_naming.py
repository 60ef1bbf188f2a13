"""Names are valid for anything, stable, and tell sandboxes apart."""

import re

import pytest

from sandbox import naming

DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


@pytest.mark.parametrize(
    ("sandbox_id", "namespace"),
    [
        ("", "gh-nica4ahl5g"),
        ("a", "gh-acl6pvzhng"),
        ("7c1ad5b2-3d9e-4a0e-9d5e-1f0c2f3a4b5c", None),
        ("anna.müller@schule.example", None),
        ("../../etc/passwd", None),
        ("--", None),
        ("x" * 5000, None),
        ("UPPER lower 123", None),
        ("\ud800 lone surrogate", None),
        ("名前", None),
        ("0", None),
        ("gh-aaaaaaaaaa", None),
    ],
)
def test_any_id_gives_a_valid_name(sandbox_id, namespace):
    made = naming.namespace_for(sandbox_id)
    assert naming.is_sandbox_namespace(made)
    assert DNS_LABEL.fullmatch(made)
    assert DNS_LABEL.fullmatch(naming.toolbox_for(sandbox_id))
    assert made == naming.namespace_for(sandbox_id), "same id, same name"
    assert namespace is None or made == namespace, "a changed derivation would lose every live sandbox"


def test_different_ids_give_different_names():
    ids = [naming.new_id() for _ in range(2000)] + ["a", "A", "a ", "á"]
    assert len({naming.namespace_for(one) for one in ids}) == len(ids)


def test_new_ids_are_long_and_valid_labels():
    made = naming.new_id()
    assert re.fullmatch(r"[a-z2-7]{26}", made)
    assert made != naming.new_id()


@pytest.mark.parametrize(
    "name",
    ["default", "gh-", "gh-short", "gh-aaaaaaaaaaa", "gh-AAAAAAAAAA", "gh-aaaaaaaaa1", "glasshull-system"],
)
def test_other_namespaces_are_not_ours(name):
    assert not naming.is_sandbox_namespace(name)
