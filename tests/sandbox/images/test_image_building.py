"""What is made, what is kept, and what a failure says. The tools themselves are replaced."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from sandbox.embedded.images import ImageBuildFailed, base, building, ensure_images, read_images, tools
from sandbox.embedded.images.layers import File, Folder, Layer, write_layer
from sandbox.embedded.images.oci import RunConfig
from sandbox.embedded.images.recipes import RECIPES
from sandbox.embedded.images.shop import APPS, recipe_for
from sandbox.embedded.images.workshop import SOURCES, Recipe, Workshop
from sandbox.embedded.progress import Progress


@pytest.fixture
def kubectl(tmp_path: Path) -> Path:
    file = tmp_path / "kubectl"
    file.write_bytes(b"first")
    return file


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of images made, by two recipes: one with kubectl, one without."""
    monkeypatch.setattr(building, "_compilers", lambda: "gcc 1 go 1")
    monkeypatch.setattr(tools, "package_versions", lambda: "1.0")
    return []


def recipes(made: list[str]) -> list[Recipe]:
    def maker(name: str):
        def make(workshop: Workshop):
            made.append(name)
            return [write_layer([File("kubectl", workshop.kubectl)], workshop.bench / f"{name}.tar")]

        return make

    run = RunConfig(("/a",), "1:1")
    return [
        Recipe("glasshull.local/plain:1", ("pause",), maker("plain"), run),
        Recipe("glasshull.local/tool:1", ("toolbox",), maker("tool"), run, with_kubectl=True),
    ]


def test_made_once_then_only_what_changed(tmp_path: Path, kubectl: Path, made: list[str]):
    seen: list[Progress] = []
    tars = ensure_images(tmp_path, seen.append, kubectl=kubectl, recipes=recipes(made))
    assert [tar.name for tar in tars] == ["plain-1.tar", "tool-1.tar"]
    assert made == ["plain", "tool"]
    assert [(p.done, p.total) for p in seen] == [(0, 2), (1, 2), (2, 2)]
    ensure_images(tmp_path, seen.append, kubectl=kubectl, recipes=recipes(made))
    assert made == ["plain", "tool"]
    kubectl.write_bytes(b"second")
    ensure_images(tmp_path, seen.append, kubectl=kubectl, recipes=recipes(made))
    assert made == ["plain", "tool", "tool"]
    (tmp_path / "images" / "plain-1.tar").unlink()
    ensure_images(tmp_path, seen.append, kubectl=kubectl, recipes=recipes(made))
    assert made == ["plain", "tool", "tool", "plain"]


def test_the_index_tells_digest_size_and_layers(tmp_path: Path, kubectl: Path, made: list[str]):
    ensure_images(tmp_path, lambda _: None, kubectl=kubectl, recipes=recipes(made))
    index = read_images(tmp_path)
    assert set(index) == {"glasshull.local/plain:1", "glasshull.local/tool:1"}
    entry = index["glasshull.local/plain:1"]
    assert entry["digest"].startswith("sha256:")
    assert entry["size"] > 0
    assert len(entry["layers"]) == 1


def test_two_homes_get_the_same_digests(tmp_path: Path, kubectl: Path, made: list[str]):
    for home in ("one", "two"):
        ensure_images(tmp_path / home, lambda _: None, kubectl=kubectl, recipes=recipes(made))
    assert read_images(tmp_path / "one") == read_images(tmp_path / "two")


def test_a_failure_leaves_what_was_there_and_no_scratch(tmp_path: Path, kubectl: Path, made: list[str]):
    ensure_images(tmp_path, lambda _: None, kubectl=kubectl, recipes=recipes(made))
    before = {path.name: path.read_bytes() for path in (tmp_path / "images").iterdir() if path.is_file()}

    def fail(_: Workshop):
        raise ImageBuildFailed("no network")

    broken = [Recipe("glasshull.local/plain:1", ("pause",), fail, RunConfig(("/b",), "1:1"))]
    with pytest.raises(ImageBuildFailed, match="no network"):
        ensure_images(tmp_path, lambda _: None, kubectl=kubectl, recipes=broken)
    after = {path.name: path.read_bytes() for path in (tmp_path / "images").iterdir() if path.is_file()}
    assert after == before
    assert not list((tmp_path / "images").glob("bench-*"))


def test_a_killed_builds_scratch_is_removed(tmp_path: Path, kubectl: Path, made: list[str]):
    left = tmp_path / "images" / "bench-dead" / "deep"
    left.mkdir(parents=True)
    (left / "file").touch()
    ensure_images(tmp_path, lambda _: None, kubectl=kubectl, recipes=recipes(made))
    assert not (tmp_path / "images" / "bench-dead").exists()


def test_a_damaged_index_is_made_anew(tmp_path: Path, kubectl: Path, made: list[str]):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "images.json").write_text("{")
    ensure_images(tmp_path, lambda _: None, kubectl=kubectl, recipes=recipes(made))
    assert (
        json.loads((tmp_path / "images" / "images.json").read_text()).keys() == read_images(tmp_path).keys()
    )


def test_a_missing_kubectl_is_named(tmp_path: Path, made: list[str]):
    with pytest.raises(ImageBuildFailed, match=r"kubectl is not at .*build the cluster's binary first"):
        ensure_images(tmp_path, lambda _: None, kubectl=tmp_path / "nowhere", recipes=recipes(made))


def test_the_shops_images_can_be_made_again_and_a_release_adds_one_small_layer(
    tmp_path: Path, kubectl: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(building, "_compilers", lambda: "gcc 1 go 1")
    monkeypatch.setattr(tools, "package_versions", lambda: "1.0")

    def ensure_base(store: Path) -> Layer:
        return write_layer([File("usr/bin/python3", b"python")], store / "base.tar")

    monkeypatch.setattr(base, "ensure_base", ensure_base)
    shop = [recipe_for(app) for app in APPS if app.files]
    for home in ("one", "two"):
        ensure_images(tmp_path / home, lambda _: None, kubectl=kubectl, recipes=shop)
    first, again = read_images(tmp_path / "one"), read_images(tmp_path / "two")
    assert first == again
    old, new = (first[f"docker.io/app/storefront:{version}"] for version in ("1.0", "1.1"))
    assert old["digest"] != new["digest"]
    assert old["layers"][:2] == new["layers"][:2] == first["docker.io/app/monolith:1.0"]["layers"][:2]
    own = tmp_path / "own"
    (layer,) = [each for each in new["layers"] if each not in old["layers"]]
    with tarfile.open(tmp_path / "one" / "images" / "storefront-1.1.tar") as image:
        own.write_bytes(image.extractfile("blobs/" + layer.replace(":", "/", 1)).read())
    assert own.stat().st_size <= 30 * 1024
    with tarfile.open(own) as files:
        assert "app/release.py" in files.getnames()


def test_a_release_is_a_source_of_its_own_images_only():
    sources = {app.image: recipe_for(app).sources for app in APPS}
    changed = "shop/releases/1.1/release.py"
    assert {name.rpartition("/")[2] for name, read in sources.items() if changed in read} == {
        "storefront:1.1",
        "monolith:1.1",
    }


def test_every_source_of_a_recipe_is_there():
    for recipe in RECIPES:
        for source in recipe.sources:
            assert (SOURCES / source).exists(), f"{recipe.name} names {source}"


def test_our_recipes_have_full_names_and_never_latest():
    names = [recipe.name for recipe in RECIPES]
    assert len(set(names)) == len(names)
    for name in names:
        assert name.count("/") >= 1
        assert "." in name.partition("/")[0]
        assert name.rpartition(":")[2] not in ("", "latest")
    for recipe in RECIPES:
        uid = int(recipe.config.user.partition(":")[0])
        assert uid >= 1000, f"{recipe.name} would run as a system user"


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("usr/bin/python3.11", True),
        ("usr/share/doc/libc6/copyright", True),
        ("usr/share/doc/libc6/changelog.gz", False),
        ("usr/share/man/man1/x.1.gz", False),
        ("var/lib/dpkg/status", False),
        ("dev/null", False),
        ("usr/lib/x86_64-linux-gnu/gconv/BIG5.so", False),
    ],
)
def test_the_base_keeps_programs_and_licences(path: str, kept: bool):
    assert base.keep(path) is kept


def test_the_base_is_made_once_and_an_older_one_serves_without_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    unpacked: list[str] = []

    def make(root: Path) -> None:
        (root / "bin").mkdir(parents=True)
        (root / "bin" / "busybox").write_bytes(b"busybox")
        unpacked.append(root.name)

    def no_network(_: Path) -> None:
        raise ImageBuildFailed("apt cannot reach its sources")

    monkeypatch.setattr(tools, "make_base", make)
    monkeypatch.setattr(tools, "package_versions", lambda: "1")
    first = base.ensure_base(tmp_path)
    assert base.ensure_base(tmp_path) == first
    assert len(unpacked) == 1
    monkeypatch.setattr(tools, "package_versions", lambda: "2")
    monkeypatch.setattr(tools, "make_base", no_network)
    assert base.ensure_base(tmp_path).digest == first.digest
    monkeypatch.setattr(tools, "make_base", make)
    assert base.ensure_base(tmp_path).file != first.file
    assert len(list(tmp_path.glob("base-*"))) == 1
    monkeypatch.setattr(tools, "make_base", no_network)
    with pytest.raises(ImageBuildFailed, match="apt"):
        base.ensure_base(tmp_path / "fresh")


def test_folders_of_left_out_files_vanish():
    entries = list(
        base.trimmed([Folder("usr/share/man"), File("usr/share/man/x", b""), File("usr/bin/x", b"")])
    )
    assert "usr/share/man" not in {entry.path for entry in entries}
    assert File("usr/bin/x", b"") in entries


def test_a_missing_tool_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ImageBuildFailed, match="gcc is not installed; install it with: apt-get install gcc"):
        tools.compile_c(tmp_path / "x.c", tmp_path / "x")


def test_a_failing_tool_is_quoted(tmp_path: Path):
    with pytest.raises(ImageBuildFailed, match=r"sh failed \(code 3\): no luck"):
        tools.run(["sh", "-c", "echo no luck >&2; exit 3"], limit=5)
