"""Our container images, made from scratch: nothing is pulled from a registry of images."""

from sandbox.embedded.images.building import ensure_images, read_images
from sandbox.embedded.images.errors import ImageBuildFailed

__all__ = ["ImageBuildFailed", "ensure_images", "read_images"]
