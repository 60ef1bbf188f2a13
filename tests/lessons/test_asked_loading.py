"""Predictions and questions of an exercise file: what each form needs, and what it cannot honour."""

from __future__ import annotations

from typing import Any

import pytest

from lessons.asked_loading import ANSWERS
from sandbox.record.checks import compile_exercise

FULL = {
    "choice": "choices: {a: A, b: B}, observed: '[\"a\"]', why: {a: Because.}, misconceptions: {b: nothing-watches}",
    "set": "choices: {a: A, b: B}, observed: '[[\"a\"]]'",
    "order": 'choices: {a: A, b: B, c: C}, observed: \'[["a", "b", "c"]]\'',
    "match": 'choices: {a: A, b: B}, given: {l: Left, r: Right}, observed: \'[{"l": "a"}]\', why: {l/a: Because.}',
    "number": "unit: Pods, tolerance: 10%, observed: '[pods(\"app=storefront\").size()]'",
    "duration": "tolerance: ±3s, observed: {first: 'endpoints(\"storefront\").size() == 2', after: kill.end}",
    "node": "observed: 'objects(\"Node\")'",
    "object": "observed: 'pods(\"app=storefront\")'",
    "curve": "labels: [one, two], tolerance: ±15, unit: '%', observed: '[[1, 2]]'",
}


def with_question(bench: Any, fields: str) -> None:
    bench.replace("exercise.yaml", "checks:\n", f"questions:\n  - {{id: q, ask: What?, {fields}}}\nchecks:\n")


@pytest.mark.parametrize("answer", ANSWERS)
def test_every_form_loads_compiles_and_lints(bench: Any, answer: str) -> None:
    with_question(bench, f"answer: {answer}, {FULL[answer]}")
    assert bench.lint() == []
    exercise = bench.load().exercise
    (question,) = exercise.questions
    assert (question.answer, question.before) == (answer, None)
    assert compile_exercise(exercise).predictions["q"].question


def test_what_each_form_keeps(bench: Any) -> None:
    with_question(bench, f"answer: match, {FULL['match']}")
    question = bench.load().exercise.questions[0]
    assert (question.given, question.choices) == ({"l": "Left", "r": "Right"}, {"a": "A", "b": "B"})
    assert question.why == {"l/a": "Because."}


def test_a_curve_counts_its_labels_and_a_time_has_its_two_halves(bench: Any) -> None:
    with_question(bench, f"answer: curve, {FULL['curve']}")
    question = bench.load().exercise.questions[0]
    assert (question.points, question.labels, question.unit) == (2, ("one", "two"), "%")
    bench.replace("exercise.yaml", f"answer: curve, {FULL['curve']}", f"answer: duration, {FULL['duration']}")
    question = bench.load().exercise.questions[0]
    assert (question.first, question.after) == ('endpoints("storefront").size() == 2', "kill.end")


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        ("answer: poem, observed: '[1]'", "L004", 'answer: "poem" is not one of choice, number'),
        (
            "answer: set, choices: {a: A}, observed: '[[\"a\"]]'",
            "L004",
            "answer: set needs at least two choices",
        ),
        ("answer: order, observed: '[[1]]'", "L004", "answer: order needs at least two choices"),
        ("answer: match, choices: {a: A, b: B}, observed: '[{}]'", "L004", "answer: match needs given:"),
        ("answer: number, choices: {a: A, b: B}, observed: '[1]'", "L004", "answer: number takes no choices"),
        ("answer: number, given: {a: A}, observed: '[1]'", "L004", "answer: number takes no given"),
        ("answer: node, tolerance: 10%, observed: '[\"a\"]'", "L004", "answer: node takes no tolerance"),
        ("answer: node, unit: Pods, observed: '[\"a\"]'", "L004", "answer: node takes no unit"),
        (
            "answer: number, tolerance: about, observed: '[1]'",
            "L004",
            '"about" is no tolerance; write it like 10%',
        ),
        ("answer: number, tolerance: ±2s, observed: '[1]'", "L004", '"±2s" is a time; q asks for a number'),
        ("answer: curve, observed: '[[1]]'", "L004", "answer: curve needs points: or labels:, 2 to 24"),
        (
            "answer: curve, points: 99, observed: '[[1]]'",
            "L004",
            "answer: curve needs points: or labels:, 2 to 24",
        ),
        ("answer: curve, points: 3, labels: [a, b], observed: '[[1]]'", "L004", "labels: 2 for 3 points"),
        ("answer: number", "L004", '"observed" is missing'),
        (
            "answer: number, observed: {first: 'true', after: kill.end}",
            "L004",
            "measured for answer: duration",
        ),
        ("answer: duration, observed: {first: 'true'}", "L004", '"after" is missing'),
        ("answer: duration, observed: {first: 'true', after: kil.end}", "L020", '"kil.end" is not a moment'),
        ("answer: duration, observed: {first: 'nopods()', after: kill.end}", "L02", "nopods"),
        ("answer: number, observed: '[pods(\"a=b\").sise()]'", "L023", 'there is no "sise" here'),
        ("answer: number, before: kill, observed: '[1]'", "L003", 'unknown key "before"'),
        (
            "answer: choice, choices: {a: A, b: B}, why: {c: C}, observed: '[\"a\"]'",
            "L020",
            'why: "c" is not an id',
        ),
    ],
)
def test_what_a_form_cannot_do_is_told_with_its_place(bench: Any, fields: str, code: str, words: str) -> None:
    with_question(bench, fields)
    found = [each for each in bench.lint() if each.code.startswith(code) and words in each.message]
    assert len(found) == 1, bench.lint()
    assert found[0].line == bench.line_of("exercise.yaml", "id: q")
    assert found[0].file.endswith("14-self-healing/exercise.yaml")


def test_a_prediction_may_wait_for_a_mark(bench: Any) -> None:
    bench.replace(
        "exercise.yaml", "faults:\n", "marks: {roll: {each: Deployment, when: 'op == \"ADDED\"'}}\nfaults:\n"
    )
    bench.replace("exercise.yaml", "before: kill", "before: roll")
    assert [each.code for each in bench.lint() if "roll" in each.message] == []
    assert bench.load().exercise.predictions[0].before == "roll"
    bench.replace("exercise.yaml", "before: roll", "before: rol")
    assert any('"rol" is not an id; did you mean "roll"?' in each.message for each in bench.lint())


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("{who-returns: old}", 'predict who-returns: "old": This is none of the answers'),
        ("who-returns", "predict: expected {id: value}"),
        ("{who-return: new}", 'predict: "who-return" is not known; did you mean "who-returns"?'),
    ],
)
def test_a_solution_says_what_a_student_could_say(bench: Any, said: str, words: str) -> None:
    bench.replace("solution.steps", "{predict: {who-returns: new}}", f"{{predict: {said}}}")
    assert any(words in problem.message for problem in bench.lint()), bench.lint()


def test_a_question_may_be_needed_by_a_check_a_fault_and_a_step(bench):
    question = '  - {id: why-new, ask: "Why?", answer: choice, choices: {a: A, b: B}, observed: \'["a"]\'}\n'
    bench.replace("exercise.yaml", "checks:\n", f"questions:\n{question}checks:\n")
    bench.replace("exercise.yaml", "needs: [managed]", "needs: [managed, why-new]")
    bench.replace("exercise.yaml", "needs: [enough], settle: 30s", "needs: [enough, why-new], settle: 30s")
    text = bench.file("lesson.md").read_text()
    setting = next(line for line in text.splitlines() if line.startswith(":needs:"))
    bench.replace("lesson.md", setting, f"{setting}, why-new")
    assert bench.lint() == []
    bench.replace("exercise.yaml", "needs: [managed, why-new]", "needs: [managed, why-old]")
    assert 'needs: "why-old" is not an id' in [each.message for each in bench.lint()]
