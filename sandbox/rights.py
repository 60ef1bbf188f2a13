"""What the platform's own accounts may do, least privilege each. Pure.

Their certificates (common names `glasshull:observer|keeper|runner`) give no right by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from sandbox.cluster.kinds import BELONGINGS, EVENT, MADE, MAKERS, POD, WATCHED, ApiKind
from sandbox.manifests import MANAGED_BY, NODE_READER_ROLE, READ, STUDENT_ROLE, student_rules
from sandbox.plan import SYSTEM_NAMESPACE, TOOLBOX_NAMESPACE

Manifest: TypeAlias = dict[str, Any]

OBSERVER = "glasshull:observer"
KEEPER = "glasshull:keeper"
RUNNER = "glasshull:runner"
RBAC = "rbac.authorization.k8s.io"
HEARTBEAT = "observer"  # the Lease in the system namespace that the observer renews


def roles_and_bindings() -> list[Manifest]:
    """All roles of the platform and of students, and who has them."""
    return [
        _role("ClusterRole", STUDENT_ROLE, student_rules()),
        _role("ClusterRole", NODE_READER_ROLE, [_may([""], ["nodes"], READ)]),
        *_observer(),
        *_keeper(),
        *_runner(),
    ]


def _observer() -> list[Manifest]:
    """Sees every kind of the picture everywhere, and renews its own heartbeat.

    Secrets are listed, too, because their existence belongs in the picture; the observer asks for their
    metadata only, a distinction that RBAC cannot make.
    """
    watch = [_may([group], names, READ) for group, names in _by_group(WATCHED)]
    heartbeat = [
        _may(["coordination.k8s.io"], ["leases"], ["create"]),
        {
            **_may(["coordination.k8s.io"], ["leases"], ["get", "update", "patch"]),
            "resourceNames": [HEARTBEAT],
        },
    ]
    return [
        _role("ClusterRole", OBSERVER, watch),
        _grant("ClusterRoleBinding", OBSERVER, "ClusterRole", OBSERVER),
        _role("Role", OBSERVER, heartbeat, SYSTEM_NAMESPACE),
        _grant("RoleBinding", OBSERVER, "Role", OBSERVER, SYSTEM_NAMESPACE),
    ]


def _keeper() -> list[Manifest]:
    """Makes, empties and removes sandboxes. Gives out two roles by name and no others."""
    make = ["get", "list", "watch", "create", "update", "patch", "delete"]
    rules = [
        _may([""], ["namespaces"], make),
        _may([""], ["serviceaccounts", "resourcequotas", "limitranges"], make),
        _may([""], ["serviceaccounts/token"], ["create"]),
        _may(["networking.k8s.io"], ["networkpolicies"], make),
        _may([RBAC], ["rolebindings", "clusterrolebindings"], make),
        {**_may([RBAC], ["clusterroles"], ["bind"]), "resourceNames": [STUDENT_ROLE, NODE_READER_ROLE]},
        *(
            _may([group], names, [*make, "deletecollection"])
            for group, names in _by_group((POD, EVENT, *MAKERS, *MADE, *BELONGINGS))
        ),
    ]
    return [
        _role("ClusterRole", KEEPER, rules),
        _grant("ClusterRoleBinding", KEEPER, "ClusterRole", KEEPER),
        _role("Role", KEEPER, [_may([""], ["pods/exec"], ["get", "create"])], TOOLBOX_NAMESPACE),
        _grant("RoleBinding", KEEPER, "Role", KEEPER, TOOLBOX_NAMESPACE),
    ]


def _runner() -> list[Manifest]:
    """Injects faults into students' Pods and speaks to toolboxes and the prober."""
    exec_rules = [_may([""], ["pods"], ["get"]), _may([""], ["pods/exec"], ["get", "create"])]
    granted: list[Manifest] = [
        _role("ClusterRole", RUNNER, [_may([""], ["pods"], [*READ, "delete"])]),
        _grant("ClusterRoleBinding", RUNNER, "ClusterRole", RUNNER),
    ]
    for namespace in (TOOLBOX_NAMESPACE, SYSTEM_NAMESPACE):
        granted += [
            _role("Role", RUNNER, exec_rules, namespace),
            _grant("RoleBinding", RUNNER, "Role", RUNNER, namespace),
        ]
    return granted


def _by_group(kinds: Iterable[ApiKind]) -> list[tuple[str, list[str]]]:
    """Plurals by API group, both sorted."""
    groups: dict[str, set[str]] = {}
    for kind in kinds:
        group = kind.api_version.rpartition("/")[0]
        groups.setdefault(group, set()).add(kind.plural)
    return [(group, sorted(names)) for group, names in sorted(groups.items())]


def _may(groups: list[str], resources: list[str], verbs: list[str]) -> Manifest:
    return {"apiGroups": groups, "resources": resources, "verbs": verbs}


def _role(kind: str, name: str, rules: list[Manifest], namespace: str | None = None) -> Manifest:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": kind,
        "metadata": _metadata(name, namespace),
        "rules": rules,
    }


def _grant(kind: str, user: str, role_kind: str, role: str, namespace: str | None = None) -> Manifest:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": kind,
        "metadata": _metadata(user, namespace),
        "roleRef": {"apiGroup": RBAC, "kind": role_kind, "name": role},
        "subjects": [{"apiGroup": RBAC, "kind": "User", "name": user}],
    }


def _metadata(name: str, namespace: str | None) -> Manifest:
    labels = {"labels": dict(MANAGED_BY)}
    return {"name": name, **labels} if namespace is None else {"name": name, "namespace": namespace, **labels}
