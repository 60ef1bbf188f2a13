"""Why did this happen? From any entry of a record back to the click or command that began it.

Pure: a walk through the record, never a rule of its own about what happened. A hop is *observed* when an
entry shows who acted (the audit log, an owner and the field manager of its controller, an Event and its
reporter), else *inferred*, and then says what would have shown it. Built on the API's own words:
ownerReferences, resourceVersion, managedFields, Events.
"""

from __future__ import annotations

from sandbox.record.causes.hop import Hop
from sandbox.record.causes.tracing import Causes, trace

__all__ = ["Causes", "Hop", "trace"]
