"""Values per student, and putting them into manifests and texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessons.loading import student_files
from lessons.manifests_loading import substitute
from lessons.variants import edges_for, generator_error, params_for
from sandbox.record.exercise import Exercise


def exercise(**variants):
    return Exercise(id="main", title="t", task="t", time=60, checks=(), variants=variants)


ALL = exercise(
    replicas={"int": [3, 4]}, tier={"pick": ["gold", "silver"]}, shop={"name": "ship"}, port={"port": {}},
    size={"quantity": ["32Mi", "48Mi"]},
)  # fmt: skip


@given(st.binary(min_size=1, max_size=64))
def test_a_seed_gives_the_same_values_again(seed):
    first = params_for(ALL, seed)
    assert first == params_for(ALL, seed)
    assert first["replicas"] in (3, 4)
    assert first["tier"] in ("gold", "silver")
    assert 20_000 <= first["port"] <= 29_999
    assert first["size"] in ("32Mi", "48Mi")


def test_all_values_are_drawn():
    one = exercise(replicas={"int": [3, 4]})
    assert {params_for(one, bytes([n]))["replicas"] for n in range(32)} == {3, 4}


def test_adding_a_variant_moves_no_other():
    assert (
        params_for(exercise(a={"int": [0, 999]}), b"s")["a"]
        == params_for(exercise(b={"int": [0, 9]}, a={"int": [0, 999]}), b"s")["a"]
    )


def test_edges_are_all_ends():
    assert edges_for(exercise(a={"int": [1, 5]}, b={"pick": ["x", "y", "z"]})) == [
        {"a": 1, "b": "x"}, {"a": 1, "b": "z"}, {"a": 5, "b": "x"}, {"a": 5, "b": "z"},
    ]  # fmt: skip
    assert edges_for(exercise()) == [{}]


@pytest.mark.parametrize(
    "generator",
    [{}, {"int": [4, 3]}, {"int": [3]}, {"int": [True, 4]}, {"int": [1, 2], "pick": [1]}, {"pick": []},
     {"pick": "ab"}, {"quantity": ["x"]}, {"quantity": []}],
)  # fmt: skip
def test_generators_that_are_none(generator):
    assert generator_error(generator)


def test_a_whole_scalar_keeps_its_type():
    objects = ({"spec": {"replicas": "${params.n}", "args": ["--n=${params.n}", "${ params.n }"]}},)
    assert substitute(objects, {"n": 3}) == ({"spec": {"replicas": 3, "args": ["--n=3", 3]}},)


def test_the_namespace_and_what_is_unknown():
    assert substitute("${sandbox.namespace}/x", {}, namespace="s-1") == "s-1/x"
    assert substitute("echo ${HOME} $x", {}) == "echo ${HOME} $x"
    with pytest.raises(KeyError, match=r"params\.other"):
        substitute({"a": "${params.other}"}, {"replicas": 3})


def test_student_files_hold_their_own_values():
    one = Exercise(
        id="main", title="t", task="t", time=60, checks=(), files={"a.yaml": "replicas: ${params.n}\n"}
    )
    assert student_files(one, {"n": 4}) == {"a.yaml": "replicas: 4\n"}


@given(
    st.recursive(st.text() | st.integers() | st.none(), lambda v: st.lists(v) | st.dictionaries(st.text(), v))
)
def test_what_has_no_place_is_left_alone(value):
    if "${params." not in repr(value) and "${sandbox" not in repr(value) and "${ " not in repr(value):
        assert substitute(value, {}) == value
