"""What recipes are written with: the work bench, the compilers, and the form of a recipe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.embedded.images import tools
from sandbox.embedded.images.layers import Layer
from sandbox.embedded.images.oci import RunConfig

SOURCES = Path(__file__).parent / "sources"
STUDENT = 1000  # uid and gid of the toolbox's only user
NOBODY = 65532  # of everything else that needs no home


@dataclass(frozen=True)
class Workshop:
    """What recipes work with: `bench` is a scratch folder, `base` makes the base layer when first asked."""

    bench: Path
    kubectl: Path
    base: Callable[[], Layer]

    def compiled_c(self, name: str) -> Path:
        program = self.bench / f"c-{name}"
        if not program.exists():
            tools.compile_c(SOURCES / name / f"{name}.c", program)
        return program

    def compiled_go(self, package: str) -> Path:
        program = self.bench / f"go-{package}"
        tools.compile_go(SOURCES / "golang", package, program)
        return program


@dataclass(frozen=True)
class Recipe:
    """`sources` are the folders and files under `sources/` whose change makes the image anew."""

    name: str
    sources: tuple[str, ...]
    make: Callable[[Workshop], Sequence[Layer]]
    config: RunConfig
    on_base: bool = False  # the base layer (or a file of it) is part of the image
    with_kubectl: bool = False
