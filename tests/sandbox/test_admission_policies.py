"""The policies as objects: closed by default, for sandboxes only, with words for a beginner."""

import re

import pytest

from sandbox import admission
from sandbox.rights import KEEPER, OBSERVER, RUNNER, roles_and_bindings

EVERY = admission.policies()
POLICIES = [
    one for one in EVERY if not one["kind"].endswith("Binding") and one["metadata"]["name"] != admission.FENCE
]
BINDINGS = [
    one for one in EVERY if one["kind"].endswith("Binding") and one["metadata"]["name"] != admission.FENCE
]
SELECTOR = {"matchExpressions": [{"key": "glasshull.dev/sandbox", "operator": "Exists"}]}


@pytest.mark.parametrize("policy", POLICIES, ids=lambda one: one["metadata"]["name"])
def test_a_policy_fails_closed_and_only_in_sandboxes(policy):
    assert policy["spec"]["failurePolicy"] == "Fail"
    assert policy["spec"]["matchConstraints"]["namespaceSelector"] == SELECTOR


@pytest.mark.parametrize("binding", BINDINGS, ids=lambda one: one["spec"]["policyName"])
def test_every_policy_is_bound(binding):
    assert binding["spec"]["policyName"] in {one["metadata"]["name"] for one in POLICIES}
    assert binding["spec"]["matchResources"]["namespaceSelector"] == SELECTOR
    if binding["kind"].startswith("Validating"):
        assert binding["spec"]["validationActions"] == ["Deny"]


def test_the_keeper_is_fenced_in_everywhere():
    policy, binding = (one for one in EVERY if one["metadata"]["name"] == admission.FENCE)
    assert policy["spec"]["failurePolicy"] == "Fail"
    assert "namespaceSelector" not in policy["spec"]["matchConstraints"]
    assert binding["spec"] == {"policyName": admission.FENCE, "validationActions": ["Deny"]}


def test_no_policy_without_a_binding():
    assert len(POLICIES) == len(BINDINGS) == 5


def test_every_refusal_says_what_to_do():
    for policy in POLICIES:
        for rule in policy["spec"].get("validations", []):
            assert rule["message"].endswith((".", "…"))
            assert rule["message"][0].isupper() or rule["message"].startswith("`")


@pytest.mark.parametrize(
    ("image", "allowed"),
    [
        ("app/storefront:1.0", True), ("docker.io/app/storefront:1.0", True), ("app/a-b_c/d:v1", True),
        ("app/storefront:1.0@sha256:" + "a" * 64, True), ("app/storefrnt:1.0", True),
        ("app/storefront", False), ("nginx:1.0", False), ("evil.example/app/x:1", False), ("app/../x:1", False),
        ("app/x:1 ", False), ("docker.io/library/app/x:1", False), ("app/X:1", False),
        ("app/x@sha256:" + "a" * 64, False),
        ("glasshull.local/toolbox:1", False), ("", False), ("app/x:", False),
    ],
)  # fmt: skip
def test_the_image_pattern(image, allowed):
    assert bool(re.match(admission.IMAGE, image)) is allowed


# --- the platform's own rights -------------------------------------------------------------------------
def rules_of(kind, name, namespace=None):
    (found,) = [
        one["rules"]
        for one in roles_and_bindings()
        if one["kind"] == kind
        and one["metadata"]["name"] == name
        and one["metadata"].get("namespace") == namespace
    ]
    return found


def allowed(rules):
    return {
        (group, r, v)
        for rule in rules
        for group in rule["apiGroups"]
        for r in rule["resources"]
        for v in rule["verbs"]
    }


def test_nobody_of_ours_is_all_powerful():
    for one in roles_and_bindings():
        for rule in one.get("rules", []):
            assert "*" not in rule["verbs"] + rule["resources"] + rule["apiGroups"]
            assert not {"escalate", "impersonate"} & set(rule["verbs"])
            assert not {"nodes/proxy", "pods/proxy", "services/proxy"} & set(rule["resources"])


def test_the_observer_only_reads():
    assert {verb for _, _, verb in allowed(rules_of("ClusterRole", OBSERVER))} == {"get", "list", "watch"}


def test_the_keeper_binds_two_roles_and_no_other():
    binding = [rule for rule in rules_of("ClusterRole", KEEPER) if "bind" in rule["verbs"]]
    assert [rule["resourceNames"] for rule in binding] == [["glasshull:student", "glasshull:node-reader"]]
    everything = allowed(rules_of("ClusterRole", KEEPER))
    assert not any(
        resource in ("clusterroles", "roles") and verb != "bind" for _, resource, verb in everything
    )


def test_the_runner_kills_pods_and_speaks_to_ours_only():
    assert allowed(rules_of("ClusterRole", RUNNER)) == {
        ("", "pods", verb) for verb in ("get", "list", "watch", "delete")
    }
    for namespace in ("glasshull-system", "glasshull-toolboxes"):
        assert ("", "pods/exec", "create") in allowed(rules_of("Role", RUNNER, namespace))
