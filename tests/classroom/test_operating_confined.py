"""Which closed folders stand between the service user and what it needs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from classroom.operating.confined import covers_for, first_closed_parent

STRANGER = 54321  # owns nothing


@pytest.fixture
def tree() -> Iterator[Path]:
    """`closed/` (0700) with a checkout and a Python in it, `open/` (0755) beside it; all ours."""
    with tempfile.TemporaryDirectory() as made:  # pytest's own folders are closed themselves
        root = Path(made).resolve()
        root.chmod(0o755)
        if first_closed_parent(root, STRANGER, STRANGER) is not None:
            pytest.skip("the folder for temporary files is closed to others here")
        for name, mode in (("closed", 0o700), ("open", 0o755)):
            (root / name / "deep/code").mkdir(parents=True)
            (root / name).chmod(mode)
        yield root


def test_the_outermost_closed_folder_is_found(tree: Path) -> None:
    (tree / "closed/deep").chmod(0o700)
    assert first_closed_parent(tree / "closed/deep/code", STRANGER, STRANGER) == tree / "closed"


def test_what_everybody_may_enter_needs_no_cover(tree: Path) -> None:
    assert first_closed_parent(tree / "open/deep/code", STRANGER, STRANGER) is None
    assert covers_for([tree / "open/deep/code"], STRANGER, STRANGER) == {}


def test_owner_and_group_have_rights_of_their_own(tree: Path) -> None:
    found = (tree / "closed").stat()
    assert first_closed_parent(tree / "closed/deep", found.st_uid, STRANGER) is None
    assert first_closed_parent(tree / "closed/deep", STRANGER, found.st_gid) == tree / "closed"
    (tree / "closed").chmod(0o710)
    assert first_closed_parent(tree / "closed/deep", STRANGER, found.st_gid) is None
    # The kernel asks only the first class that fits: an owner without rights is not helped by everybody's.
    (tree / "closed").chmod(0o077)
    assert first_closed_parent(tree / "closed/deep", found.st_uid, found.st_gid) == tree / "closed"
    (tree / "closed").chmod(0o700)


def test_one_cover_serves_all_paths_below_it(tree: Path) -> None:
    kept = [tree / "closed/deep/code", tree / "closed/deep", tree / "open/deep"]
    assert covers_for(kept, STRANGER, STRANGER) == {tree / "closed": kept[:2]}
