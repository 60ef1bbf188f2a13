"""The order of choices: a student's own, the same again, and no hint."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from lessons.rendering import render_lesson
from lessons.shown_order import plain_choices, shown_choices
from sandbox.record.exercise import Answer, Prediction

KEYS = ("request", "object", "controller", "scheduler", "kubelet", "container")
SEEDS = st.binary(min_size=32, max_size=32)


def asked(answer: Answer = "order", keys: tuple[str, ...] = KEYS, id_: str = "hops") -> Prediction:
    return Prediction(
        id=id_, ask="?", answer=answer, observed="[]", choices={key: key.title() for key in keys}
    )


@given(SEEDS, st.sampled_from(["choice", "set", "order", "match"]))
def test_all_choices_are_there_and_stay_where_they_are(seed: bytes, answer: Answer) -> None:
    shown = shown_choices(asked(answer), seed)
    assert sorted(shown) == sorted((key, key.title()) for key in KEYS)
    assert shown == shown_choices(asked(answer), seed)


@given(SEEDS)
def test_what_is_to_be_ordered_never_comes_in_the_files_order(seed: bytes) -> None:
    for keys in (KEYS, KEYS[:3]):
        assert [key for key, _ in shown_choices(asked(keys=keys), seed)] != list(keys)


def test_of_two_either_may_come_first() -> None:
    first = Counter(shown_choices(asked(keys=KEYS[:2]), bytes([n] * 32))[0][0] for n in range(200))
    assert set(first) == {"request", "object"}
    assert min(first.values()) > 60


def test_every_place_is_as_likely_for_every_choice() -> None:
    seeds = [n.to_bytes(32, "big") for n in range(1200)]
    first = Counter(shown_choices(asked("choice", KEYS[:4]), seed)[0][0] for seed in seeds)
    assert all(200 < first[key] < 400 for key in KEYS[:4])


def test_two_questions_of_one_student_are_shuffled_apart() -> None:
    seeds = [bytes([n] * 32) for n in range(30)]
    pairs = [(shown_choices(asked(id_="a"), seed), shown_choices(asked(id_="b"), seed)) for seed in seeds]
    assert sum(one != other for one, other in pairs) > 20


def test_a_page_without_a_student_lists_them_by_alphabet(bench) -> None:  # type: ignore[no-untyped-def]
    assert plain_choices(asked()) == sorted(key.title() for key in KEYS)
    choices = "request: The wish, object: An object, plan: Control"
    fields = f"answer: order, choices: {{{choices}}}, observed: '[[\"a\"]]'"
    bench.replace(
        "exercise.yaml", "checks:\n", f"questions:\n  - {{id: q, ask: Which?, {fields}}}\nchecks:\n"
    )
    bench.replace("lesson.md", ":::{predict} who-returns\n:::", ":::{question} q\n:::")
    html = "".join(step.html for step in render_lesson(bench.load(), {"replicas": 3}))
    assert '<div data-island="question" data-id="q"><p>Which?</p>' in html
    assert "<ul><li>An object</li><li>Control</li><li>The wish</li></ul>" in html
