"""Pictures of a lesson: served as pictures, and nothing else of its folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from classroom.courseware.catalogue import catalogue

DRAWING = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
ADDRESS = "/learn/tiny/01-one/media/"


@pytest.fixture
def folder() -> Iterator[Path]:
    made = catalogue.lesson("tiny", "01-one").path / "media"
    made.mkdir()
    yield made
    for path in made.iterdir():
        path.unlink()
    made.rmdir()


@pytest.mark.django_db
def test_a_drawing_is_a_picture_that_runs_nothing(folder: Path) -> None:
    (folder / "ship.svg").write_bytes(DRAWING)
    answer = Client().get(f"{ADDRESS}ship.svg")
    assert (answer.status_code, answer.content) == (200, DRAWING)
    assert answer.headers["Content-Type"] == "image/svg+xml"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert policy.endswith("sandbox")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.django_db
def test_nothing_else_is_served(folder: Path, tmp_path: Path) -> None:
    (folder / "notes.txt").write_text("x")
    (folder / ".hidden.svg").write_bytes(DRAWING)
    (tmp_path / "far.svg").write_bytes(DRAWING)
    (folder / "link.svg").symlink_to(tmp_path / "far.svg")
    (folder / "big.png").write_bytes(b"x" * (2 * 2**20 + 1))
    for name in (
        "notes.txt",
        ".hidden.svg",
        "link.svg",
        "big.png",
        "none.svg",
        "..%2Fexercise.yaml",
        "..%5Cx.svg",
    ):
        assert Client().get(ADDRESS + name).status_code == 404, name
    assert Client().get("/learn/tiny/none/media/ship.svg").status_code == 404
