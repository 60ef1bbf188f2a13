"""`glasshull lesson preview`: the lesson as students will see it, beside what the linter and the last proof say.

A small server of its own on this machine only, without Django and without a cluster: it plays the recording, or draws
the start manifests and says so.
"""

from __future__ import annotations

from authoring.preview.serving import command

__all__ = ["command"]
