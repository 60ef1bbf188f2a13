"""Which objects of a sandbox are the cluster's or the platform's furniture, not the student's work."""

from __future__ import annotations

from sandbox.record.projecting.reading import Object, name, part

PART = "glasshull.dev/part"  # what the platform's own objects in a student's namespace are labelled with
_KINDS = frozenset(
    {
        "ControllerRevision",
        "EndpointSlice",
        "Endpoints",
        "Event",
        "LimitRange",
        "Namespace",
        "ResourceQuota",
        "Role",
        "RoleBinding",
    }
)
_NAMED = frozenset(
    {
        ("ConfigMap", "kube-root-ca.crt"),
        ("ServiceAccount", "default"),
        ("ServiceAccount", "student"),
    }
)


def is_furniture(kind: str, object_: Object) -> bool:
    """True for what no student made: it is neither drawn nor counted by checks.

    Labels decide of NetworkPolicies only: a student could write them too, and hide a Pod from a check.
    """
    if kind in _KINDS or (kind, name(object_)) in _NAMED:
        return True
    return kind == "NetworkPolicy" and part(object_, "metadata", "labels").get(PART) == "guard-rail"
