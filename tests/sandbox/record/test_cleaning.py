from __future__ import annotations

import copy

from sandbox.record.cleaning import LAST_APPLIED, clean


def test_managed_fields_keep_who_and_when_only() -> None:
    object_ = {
        "kind": "Pod",
        "metadata": {
            "managedFields": [
                {"manager": "kubectl", "operation": "Apply", "time": "t", "fieldsV1": {"f:a": {}}}
            ]
        },
    }
    before = copy.deepcopy(object_)
    assert clean(object_)["metadata"]["managedFields"] == [
        {"manager": "kubectl", "operation": "Apply", "time": "t"}
    ]
    assert object_ == before


def test_a_secret_keeps_neither_data_nor_its_copy_in_an_annotation() -> None:
    secret = {
        "kind": "Secret",
        "apiVersion": "v1",
        "type": "Opaque",
        "data": {"password": "c2VjcmV0"},
        "stringData": {"password": "secret"},
        "metadata": {"name": "s", "annotations": {LAST_APPLIED: '{"data": "c2VjcmV0"}'}},
    }
    assert clean(secret) == {
        "kind": "Secret",
        "apiVersion": "v1",
        "type": "Opaque",
        "metadata": {"name": "s"},
    }


def test_other_annotations_stay() -> None:
    object_ = {"kind": "Pod", "metadata": {"annotations": {LAST_APPLIED: "x", "a": "b"}}}
    assert clean(object_) == {"kind": "Pod", "metadata": {"annotations": {"a": "b"}}}
