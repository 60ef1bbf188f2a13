"""What can go wrong while images are built: one kind, because its handler only shows the sentence."""

from __future__ import annotations

from sandbox.embedded.errors import EmbeddedError


class ImageBuildFailed(EmbeddedError):
    """An image could not be made. The message names the cause and the next step."""
