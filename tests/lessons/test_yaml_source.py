"""YAML: 1.2 core, positions, and limits that hold before anything is built."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lessons.problems import LessonInvalid
from lessons.yaml_source import MOST_BYTES, Mark, read_documents, read_yaml


def refused(text):
    with pytest.raises(LessonInvalid) as caught:
        read_yaml(text, "x.yaml")
    return caught.value.problems[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("off", "off"),
        ("no", "no"),
        ("yes", "yes"),
        ("true", True),
        ("null", None),
        ("12", 12),
        ("-3", -3),
        ("0o17", 15),
        ("0x1F", 31),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("012", 12),
        ("1_000", "1_000"),
        ("'12'", "12"),
        ("1:30", "1:30"),
        ("2026-01-01", "2026-01-01"),
        ("9" * 60, "9" * 60),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text, value):
    found = read_yaml(f"a: {text}", "x.yaml").value["a"]
    assert found == value
    assert type(found) is type(value)


def test_every_value_has_its_place():
    source = read_yaml("a: 1\nb:\n  - {c: x}\n  - d\n", "x.yaml")
    assert source.mark(("b", 0, "c")) == Mark(3, 9)
    assert source.key_mark(("b", 0, "c")) == Mark(3, 6)
    assert source.mark(("b", 1)) == Mark(4, 5)
    assert source.mark(("b", 1, "not", "there")) == Mark(4, 5)


def test_front_matter_is_counted_from_its_own_line():
    assert read_yaml("a: 1", "x.yaml", first_line=2).mark(("a",)) == Mark(2, 4)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &x 1\nb: *x", "anchors and aliases"),
        ("a: *x", "anchors and aliases"),
        ("a: !!python/object:os.system x", "tags are not allowed"),
        ("a: !local x", "tags are not allowed"),
        ("[" * 200, "nested deeper than 20"),
        ("{a: " * 60, "nested deeper than 20"),
        ("? [a]\n: b", "a key must be plain text"),
        ("a: .inf", "not a number"),
        ("a: 1e999", "too large a number"),
        ("a: [1", "not YAML"),
        ("\x00", "not YAML"),
        ("a: 1\n---\nb: 2", "one YAML document"),
        ("- x\n" * 30_000, "more than 20000 values"),
    ],
)
def test_what_is_refused(text, words):
    problem = refused(text)
    assert problem.code == "L006"
    assert words in problem.message


def test_a_file_has_a_size():
    assert "at most 256 KiB" in refused("a" * (MOST_BYTES + 1)).message


def test_the_bomb_of_aliases_never_goes_off():
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(8)
    )
    assert refused(bomb).line == 1


def test_many_documents_are_refused():
    with pytest.raises(LessonInvalid, match="more than 100 documents"):
        read_documents("a: 1\n---\n" * 101, "x.yaml")


def test_a_key_written_twice_names_the_first():
    problem = refused("a: 1\nb: 2\na: 3")
    assert (problem.code, problem.line, problem.message) == ("L007", 3, '"a" is already a key (line 1)')


@given(st.text(max_size=300))
@settings(max_examples=300, deadline=None)
def test_no_text_breaks_the_reader(text):
    try:
        read_yaml(text, "x.yaml")
    except LessonInvalid as invalid:
        assert all(problem.code in ("L006", "L007") for problem in invalid.problems)  # noqa: PT017


@given(st.text(alphabet="{}[]:,-&*!|>'\"#%@`?~ \n\tab1.", max_size=80))
@settings(max_examples=500, deadline=None)
def test_no_punctuation_breaks_the_reader(text):
    try:
        source = read_yaml(text, "x.yaml")
    except LessonInvalid:
        return
    assert source.mark(()).line >= 1
