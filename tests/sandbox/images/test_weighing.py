"""What an app weighs is measured in its own image's files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandbox.embedded.images import ImageBuildFailed
from sandbox.embedded.images.building import tar_of
from sandbox.embedded.images.layers import File, write_layer
from sandbox.embedded.images.oci import write_image
from sandbox.embedded.images.shop import APPS, App, recipe_for
from sandbox.embedded.images.weighing import Weight, table, weigh

STOCK = next(app for app in APPS if app.name == "stock")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="chroot needs root")


def put(folder: Path, app: App, program: bytes | Path) -> None:
    layer = write_layer([File(app.name, program, 0o755)], folder / "layer.tar")
    write_image(app.image, recipe_for(app).config, [layer], tar_of(folder, app.image))


@needs_root
def test_the_stock_stays_within_what_lessons_promise(tmp_path: Path, stock_program: Path):
    put(tmp_path, STOCK, stock_program)
    (weight,) = weigh(tmp_path, [STOCK])
    assert weight.fits
    assert weight.resident > 2**20
    assert weight.own >= stock_program.stat().st_size
    assert weight.digest.startswith("sha256:")


@needs_root
def test_an_app_that_does_not_start_is_named(tmp_path: Path, stock_program: Path):
    put(tmp_path, STOCK, b"no program")
    with pytest.raises(ImageBuildFailed, match=r"app/stock:1\.0 does not start in its own files"):
        list(weigh(tmp_path, [STOCK]))


def test_the_table_marks_what_is_too_heavy():
    digest = "sha256:" + "ab" * 32
    lines = table(
        [
            Weight(STOCK, 6 * 2**20, 6 * 2**20, digest, 8 * 2**20),
            Weight(STOCK, 2048, 50 * 2**20, digest, 13 * 2**20),
        ]
    ).split("\n")
    assert lines[0].split() == ["app", "version", "own", "layer", "digest", "memory", "of"]
    assert lines[1].split() == ["stock", "1.0", "6144", "KiB", "abababababab", "8.0", "MiB", "12", "MiB"]
    assert lines[2].endswith("12 MiB  TOO MUCH")


def test_every_app_has_a_limit_as_the_course_says():
    promised = {"storefront": 24, "catalogue": 24, "orders": 28, "stock": 12, "monolith": 32}
    assert {app.name: app.memory // 2**20 for app in APPS} == promised
