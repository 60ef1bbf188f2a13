"""Objects that lack fields or hold the wrong thing: drawn as far as possible, never an error."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.record.checks import Engine
from sandbox.record.cleaning import clean
from sandbox.record.picture import Picture
from tests.sandbox.record.build import Script
from tests.sandbox.record.lesson14 import exercise

LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.text(max_size=5), st.just("64Mi"), st.just("True")
)
KEYS = st.sampled_from(
    ["name", "labels", "app", "annotations", "ownerReferences", "controller", "kind", "uid", "deletionTimestamp",
     "creationTimestamp", "containers", "initContainers", "image", "resources", "requests", "memory", "nodeName",
     "phase", "conditions", "type", "status", "containerStatuses", "initContainerStatuses", "state", "waiting",
     "terminated", "running", "reason", "restartCount", "ready", "replicas", "endpoints", "targetRef", "ports",
     "port", "selector", "allocatable", "managedFields", "generateName", "imageID", "addresses"]
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=20,
)
PARTS = st.dictionaries(KEYS, VALUES, max_size=6)
KINDS = st.sampled_from(
    ["Pod", "Node", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "Service", "EndpointSlice",
     "ConfigMap", "NetworkPolicy", "Secret", "Whatever"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(KINDS, PARTS, VALUES, VALUES, VALUES), min_size=1, max_size=5))
def test_no_object_breaks_picture_or_engine(objects: list[tuple[str, Any, Any, Any, Any]]) -> None:
    script, picture = Script(), Picture()
    engine = Engine(exercise(), params={"replicas": 3})
    script.start(replicas=3)
    for number, (kind, metadata, spec, status, endpoints) in enumerate(objects):
        object_ = {
            "kind": kind,
            "metadata": {**metadata, "uid": f"u{number}"},
            "spec": spec,
            "status": status,
            "endpoints": endpoints,
        }
        script.put(clean(object_))
    for number in range(len(objects)):
        script.remove(f"u{number}")
    for entry in script.entries:
        assert picture.feed(entry) is not None
        engine.feed(entry)
    assert not [key for key in picture.items if key.startswith(("pod/", "workload/", "object/"))]
