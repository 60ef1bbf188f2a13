"""What the build says, costs and answers when it cannot go on; the build itself is a cluster test."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.embedded import building
from sandbox.embedded.building import (
    BINARY,
    COMPONENTS,
    Go,
    explain,
    hash_of,
    link_components,
    parse_go_version,
    seconds_left,
    share_of_time,
    use_given,
)
from sandbox.embedded.errors import BuildFailed


@pytest.mark.parametrize(
    ("text", "version"),
    [("go1.26.8", (1, 26, 8)), ("go1.27", (1, 27)), ("go1.26rc1", (1, 26)), ("devel", ()), ("", ())],
)
def test_go_versions_are_read(text, version):
    assert parse_go_version(text) == version


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("compile: writing output: write $WORK/b1/_pkg_.a: no space left on device", "disk ran full"),
        ("go: k8s.io/api@v0.37.2: Get ...: dial tcp: lookup proxy: no such host", "does not answer"),
        ("k8s.io/api/core/v1: /usr/lib/go/compile: signal: killed", "memory ran out"),
        ("main.go:3:1: syntax error", "main.go:3:1: syntax error"),
        ("", "said nothing"),
    ],
)
def test_a_failed_build_names_cause_and_next_step(said, cause):
    error = explain([said])
    assert cause in str(error)
    assert "start again" in error.remedy.lower()


@given(st.floats(0, 1))
def test_time_runs_with_the_packages(packages):
    assert 0 <= share_of_time(packages) <= 1
    assert share_of_time(packages) >= share_of_time(packages / 2)


def test_time_left_shrinks_to_nothing_and_starts_unknown():
    assert seconds_left(0.0, 0.1, 2.0) is None
    left = [seconds_left(0.0, done, 400 * share_of_time(done)) for done in (0.2, 0.5, 0.9)]
    assert all(
        400 * (1 - share_of_time(d)) == pytest.approx(t) for d, t in zip((0.2, 0.5, 0.9), left, strict=True)
    )


def test_a_resumed_build_counts_only_its_own_time():
    spent = share_of_time(0.75) - share_of_time(0.5)
    assert seconds_left(0.5, 0.75, 100) == pytest.approx(100 * (1 - share_of_time(0.75)) / spent)


def test_the_hash_follows_everything_the_binary_is_built_from(tmp_path):
    for name in ("main.go", "go.mod", "go.sum"):
        (tmp_path / name).write_text("one")
    go = Go("go", "go1.26.8")
    first = hash_of(go, tmp_path)
    assert hash_of(go, tmp_path) == first
    assert hash_of(Go("go", "go1.26.9"), tmp_path) != first
    for name in ("main.go", "go.mod", "go.sum"):
        (tmp_path / name).write_text("two")
        assert hash_of(go, tmp_path) != first
        first = hash_of(go, tmp_path)
    (tmp_path / "README").write_text("no matter")
    assert hash_of(go, tmp_path) == first


def test_go_mod_replaces_every_staging_module_by_its_published_version():
    lines = [line.split() for line in (building.SOURCES / "go.mod").read_text().splitlines() if "=>" in line]
    assert len(lines) == 33
    assert all(line[0] == line[2] and line[3] == "v0.37.2" for line in lines)


def component(path, says):
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)


def test_components_that_are_there_are_used(tmp_path):
    for name in COMPONENTS:
        component(tmp_path / name, "Kubernetes v1.37.0")
    assert use_given(tmp_path, tmp_path / "home").parent == tmp_path


def test_one_multi_call_binary_is_enough(tmp_path):
    given = tmp_path / "given"
    given.mkdir()
    component(given / BINARY, "Kubernetes v1.37.2")
    found = use_given(given, tmp_path / "home")
    assert {path.name for path in found.parent.iterdir()} == {BINARY, *COMPONENTS}
    assert use_given(given, tmp_path / "home") == found


def test_a_missing_component_is_named(tmp_path):
    for name in COMPONENTS[1:]:
        component(tmp_path / name, "Kubernetes v1.37.2")
    with pytest.raises(BuildFailed, match=f"has no {COMPONENTS[0]}"):
        use_given(tmp_path, tmp_path)


def test_another_version_is_refused(tmp_path):
    for name in COMPONENTS:
        component(tmp_path / name, "Kubernetes v1.36.4")
    with pytest.raises(BuildFailed, match=r"v1\.36\.4.*v1\.37\.x"):
        use_given(tmp_path, tmp_path)


def test_links_are_made_once(tmp_path):
    component(tmp_path / BINARY, "x")
    link_components(tmp_path)
    link_components(tmp_path)
    assert (tmp_path / "kubectl").resolve() == tmp_path / BINARY


def test_no_room_is_said_before_anything_is_built(tmp_path, monkeypatch):
    monkeypatch.setattr(building, "_go_env", lambda _go, _name: tmp_path)
    monkeypatch.setattr(building.shutil, "disk_usage", lambda _path: SimpleNamespace(free=1_000_000_000))
    with pytest.raises(BuildFailed, match=r"needs 5\.\d GB of disk, and 1\.0 GB are free"):
        building._check_disk(Go("go", "go1.26"), tmp_path / "bin" / "x", modules=True, share=1.0)
    building._check_disk(Go("go", "go1.26"), tmp_path / "bin" / "x", modules=False, share=0.0)
