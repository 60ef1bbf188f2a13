"""Make the images that are missing or out of date, and nothing else."""

from __future__ import annotations

import fcntl
import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sandbox.embedded.images import base, tools
from sandbox.embedded.images.errors import ImageBuildFailed
from sandbox.embedded.images.layers import Layer
from sandbox.embedded.images.oci import write_image
from sandbox.embedded.images.recipes import RECIPES
from sandbox.embedded.images.workshop import SOURCES, Recipe, Workshop
from sandbox.embedded.progress import Progress, Report

Index = dict[str, dict[str, Any]]


def ensure_images(
    home: Path, progress: Report, *, kubectl: Path, recipes: Sequence[Recipe] = RECIPES
) -> list[Path]:
    """Tars of all images, in `home/images/`, made where their inputs changed.

    `kubectl` is a static program that answers to the name kubectl. `home/images/images.json` tells
    `{name: {digest, image_id, size, layers, inputs}}`: the manifest's digest, what Pods show as imageID, the
    layers' bytes, their digests, and the hash of everything the image was made from. Each file is replaced as
    a whole. Raises ImageBuildFailed.
    """
    folder = home.resolve() / "images"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(folder):
            return _ensure(folder, progress, kubectl, recipes)
    except OSError as failed:
        raise ImageBuildFailed(f"images cannot be made in {folder}: {failed}.") from failed


def read_images(home: Path) -> Index:
    """What `images.json` tells; empty before the first build."""
    return _read_index(home / "images" / "images.json")


def tar_of(folder: Path, name: str) -> Path:
    """`docker.io/app/storefront:1.0` lies in `storefront-1.0.tar`."""
    return folder / (name.rpartition("/")[2].replace(":", "-") + ".tar")


def _ensure(folder: Path, progress: Report, kubectl: Path, recipes: Sequence[Recipe]) -> list[Path]:
    index = _read_index(folder / "images.json")
    store = folder / "layers"
    store.mkdir(exist_ok=True)
    make_base: Callable[[], Layer] = cache(lambda: base.ensure_base(store))
    inputs = {recipe.name: inputs_of(recipe, kubectl) for recipe in recipes}
    with tempfile.TemporaryDirectory(dir=folder, prefix="bench-") as bench:
        workshop = Workshop(Path(bench), kubectl, make_base)
        for done, recipe in enumerate(recipes):
            tar = tar_of(folder, recipe.name)
            if tar.exists() and index.get(recipe.name, {}).get("inputs") == inputs[recipe.name]:
                continue
            progress(Progress("images", f"Making image {recipe.name}", done, len(recipes), None))
            index[recipe.name] = _make(recipe, workshop, tar) | {"inputs": inputs[recipe.name]}
            _write_index(folder / "images.json", index)
    progress(Progress("images", "Images are ready", len(recipes), len(recipes), 0.0))
    return [tar_of(folder, recipe.name) for recipe in recipes]


def inputs_of(recipe: Recipe, kubectl: Path) -> str:
    """A hash of everything that decides the image's bytes."""
    hashed = hashlib.sha256(_builder_hash().encode())
    for source in recipe.sources:
        hashed.update(_source_hash(SOURCES / source).encode())
    hashed.update(repr((recipe.name, recipe.config)).encode())
    hashed.update(_compilers().encode())
    if recipe.on_base:
        hashed.update(tools.package_versions().encode())
    if recipe.with_kubectl:
        hashed.update(_file_hash(kubectl).encode())
    return hashed.hexdigest()


def _make(recipe: Recipe, workshop: Workshop, tar: Path) -> dict[str, Any]:
    partial = workshop.bench / tar.name
    built = write_image(recipe.name, recipe.config, recipe.make(workshop), partial)
    partial.replace(tar)
    return {
        "digest": built.digest,
        "image_id": built.image_id,
        "size": built.size,
        "layers": list(built.layers),
    }


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two set-ups at once: the second waits, then finds everything made. A killed one's remains go."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in folder.glob("bench-*"):
            _remove(left)
        yield


def _remove(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    folder.rmdir()


def _read_index(file: Path) -> Index:
    try:
        index = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return index if isinstance(index, dict) else {}


def _write_index(file: Path, index: Index) -> None:
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps(index, indent=1, sort_keys=True) + "\n")
    partial.replace(file)


@cache
def _compilers() -> str:
    return tools.compiler_versions()


@cache
def _builder_hash() -> str:
    own = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in own)).hexdigest()


def _source_hash(source: Path) -> str:
    """Of a file, or of all files in a folder but tests and what an interpreter left behind."""
    hashed = hashlib.sha256()
    for path in sorted(source.rglob("*")) if source.is_dir() else [source]:
        if path.is_file() and path.suffix != ".pyc" and not path.name.endswith("_test.go"):
            hashed.update(
                path.relative_to(source.parent).as_posix().encode() + b"\0" + path.read_bytes() + b"\0"
            )
    return hashed.hexdigest()


def _file_hash(file: Path) -> str:
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as missing:
        raise ImageBuildFailed(
            f"kubectl is not at {file} ({missing.strerror}); build the cluster's binary first."
        ) from None
