"""Layers and layouts depend on nothing but their content."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from pathlib import Path

import pytest

from sandbox.embedded.images.layers import File, Folder, Link, entries_of, in_order, read_member, write_layer
from sandbox.embedded.images.oci import RunConfig, write_image

ENTRIES = [File("b/two", b"22"), Link("b/alias", "two"), File("a", b"1", 0o755), Folder("tmp", 0o1777)]


def test_same_entries_in_any_order_give_the_same_bytes(tmp_path: Path):
    first = write_layer(ENTRIES, tmp_path / "1.tar")
    second = write_layer(reversed(ENTRIES), tmp_path / "2.tar")
    assert first.digest == second.digest
    assert (tmp_path / "1.tar").read_bytes() == (tmp_path / "2.tar").read_bytes()


def test_other_content_mode_or_target_gives_another_digest(tmp_path: Path):
    digests = {
        write_layer([entry], tmp_path / "x.tar").digest
        for entry in (
            File("a", b"1"),
            File("a", b"2"),
            File("a", b"1", 0o755),
            Link("a", "b"),
            Link("a", "c"),
            Folder("a"),
        )
    }
    assert len(digests) == 6


def test_members_carry_no_time_and_no_names(tmp_path: Path):
    source = tmp_path / "source"
    source.write_bytes(b"x")
    os.utime(source, (1_700_000_000, 1_700_000_000))
    write_layer([File("deep/er/file", source), Folder("home", owner=1000)], tmp_path / "l.tar")
    with tarfile.open(tmp_path / "l.tar") as archive:
        members = archive.getmembers()
    assert [member.name for member in members] == ["deep", "deep/er", "deep/er/file", "home"]
    assert {(member.mtime, member.uname, member.gname) for member in members} == {(0, "", "")}
    assert [member.uid for member in members] == [0, 0, 0, 1000]


def test_parents_come_before_children_and_a_path_is_claimed_once():
    assert [entry.path for entry in in_order([File("a-b", b""), File("a/c", b"")])] == ["a", "a/c", "a-b"]
    with pytest.raises(ValueError, match="claim 'a'"):
        in_order([File("a", b""), Link("a", "b")])


def test_entries_of_a_folder_drop_devices_and_set_uid_bits(tmp_path: Path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "su").write_bytes(b"")
    (tmp_path / "bin" / "su").chmod(0o4755)
    (tmp_path / "bin" / "sh").symlink_to("/bin/busybox")
    os.mkfifo(tmp_path / "pipe")
    found = {entry.path: entry for entry in entries_of(tmp_path)}
    assert found["bin/su"].mode == 0o755
    assert found["bin/sh"] == Link("bin/sh", "/bin/busybox")
    assert "pipe" not in found


def test_a_member_is_read_back(tmp_path: Path):
    write_layer(ENTRIES, tmp_path / "l.tar")
    assert read_member(tmp_path / "l.tar", "b/two") == b"22"
    with pytest.raises(KeyError):
        read_member(tmp_path / "l.tar", "b/three")


def test_a_layout_names_its_image_and_every_blob_matches_its_digest(tmp_path: Path):
    layers = [
        write_layer([File("a", b"1")], tmp_path / "1.tar"),
        write_layer([File("b", b"2")], tmp_path / "2.tar"),
    ]
    config = RunConfig(("/a",), "65532:65532", {"PATH": "/bin"}, ports=(8080,))
    built = write_image("docker.io/app/x:1.0", config, layers, tmp_path / "image.tar")
    blobs = {}
    with tarfile.open(tmp_path / "image.tar") as archive:
        for member in archive.getmembers():
            content = archive.extractfile(member)
            assert content is not None
            blobs[member.name] = content.read()
    for name, content in blobs.items():
        if name.startswith("blobs/sha256/"):
            assert hashlib.sha256(content).hexdigest() == name.rpartition("/")[2]
    described = json.loads(blobs["index.json"])["manifests"][0]
    assert described["annotations"]["io.containerd.image.name"] == "docker.io/app/x:1.0"
    assert described["digest"] == built.digest
    manifest = json.loads(blobs["blobs/sha256/" + built.digest.removeprefix("sha256:")])
    assert [layer["digest"] for layer in manifest["layers"]] == list(built.layers)
    configured = json.loads(blobs["blobs/sha256/" + manifest["config"]["digest"].removeprefix("sha256:")])
    assert configured["rootfs"]["diff_ids"] == list(built.layers)
    assert configured["config"]["User"] == "65532:65532"
    assert configured["config"]["ExposedPorts"] == {"8080/tcp": {}}
