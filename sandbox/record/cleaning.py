"""What an object loses before it enters the record: noise, and everything that could be a secret."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_KEPT_OF_MANAGED_FIELDS = ("manager", "operation", "time", "subresource")
_KEPT_OF = {
    "Secret": ("apiVersion", "kind", "metadata", "type"),
    # What happened, to whom, and who says so; how often repeated is the watch's own count.
    "Event": (
        "apiVersion",
        "kind",
        "metadata",
        "involvedObject",
        "reason",
        "message",
        "type",
        "reportingComponent",
        "source",
    ),
}


def clean(object_: Object) -> Object:
    """Return a copy fit for the record; the argument is left alone.

    managedFields are cut to manager, operation, time (they are three quarters of an object), the
    last-applied annotation goes (it repeats the whole object), a Secret keeps its metadata and type only,
    an Event what it says of whom and who says it.
    """
    cleaned = dict(object_)
    metadata = object_.get("metadata")
    if isinstance(metadata, dict):
        cleaned["metadata"] = _clean_metadata(metadata)
    kept = _KEPT_OF.get(str(object_.get("kind")))
    if kept is not None:
        return {key: cleaned[key] for key in kept if key in cleaned}
    return cleaned


def _clean_metadata(metadata: Object) -> Object:
    cleaned = dict(metadata)
    fields = metadata.get("managedFields")
    if isinstance(fields, list):
        cleaned["managedFields"] = [
            {key: field[key] for key in _KEPT_OF_MANAGED_FIELDS if key in field}
            for field in fields
            if isinstance(field, dict)
        ]
    annotations = metadata.get("annotations")
    if isinstance(annotations, dict) and LAST_APPLIED in annotations:
        rest = {key: value for key, value in annotations.items() if key != LAST_APPLIED}
        if rest:
            cleaned["annotations"] = rest
        else:
            del cleaned["annotations"]
    return cleaned
