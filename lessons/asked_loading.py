"""One prediction or question of an exercise file: what it asks, and in which form. Format, section 4.6."""

from __future__ import annotations

from typing import cast, get_args

from lessons.checks_loading import read_id
from lessons.reading import Section
from sandbox.record.checks.answers import read_tolerance
from sandbox.record.exercise import Answer, Prediction

ANSWERS: tuple[str, ...] = get_args(Answer)
CHOSEN = frozenset({"choice", "set", "order", "match"})  # answered with keys of `choices`
_ONLY = {
    "choices": CHOSEN,
    "given": frozenset({"match"}),
    "points": frozenset({"curve"}),
    "labels": frozenset({"curve"}),
    "unit": frozenset({"number", "curve"}),
    "tolerance": frozenset({"number", "duration", "curve"}),
}
MOST_CHOICES = 12  # more than one sees at a glance
MOST_POINTS = 24
_TIMES = ("ms", "s", "m", "h")


def read_asked(section: Section, *, before: bool) -> Prediction:
    """`before`: a prediction, which may wait for a fault, load or mark; a question is about what is."""
    answer = section.choice("answer", ANSWERS, "choice")
    observed, first, after = _observed(section, answer)
    labels = section.texts("labels")
    asked = Prediction(
        id=read_id(section),
        ask=section.required_text("ask"),
        answer=cast("Answer", answer),
        observed=observed,
        first=first,
        after=after,
        choices=_texts(section, "choices"),
        given=_texts(section, "given"),
        points=section.whole("points", 0) or len(labels) or None,
        labels=labels,
        unit=section.text("unit"),
        before=section.optional_text("before") if before else None,
        settle=section.seconds("settle", 0.0),
        misconceptions=_texts(section, "misconceptions"),
        why=_texts(section, "why"),
        tolerance=section.optional_text("tolerance"),
    )
    _check_keys(section, asked)
    _check_choices(section, asked)
    _check_curve(section, asked)
    _check_tolerance(section, asked)
    section.finish()
    return asked


def _texts(section: Section, key: str) -> dict[str, str]:
    inner = section.section(key)
    return {name: inner.text(name) for name in inner.values} if inner else {}


def _observed(section: Section, answer: str) -> tuple[str, str | None, str | None]:
    """CEL; or for a duration a map: the time until `first` holds after the moment `after`."""
    if not isinstance(section.raw("observed"), dict):
        return section.required_text("observed"), None, None
    inner = section.section("observed")
    assert inner is not None  # noqa: S101  (it is a map)
    first, after = inner.required_text("first"), inner.required_text("after")
    inner.finish()
    if answer != "duration":
        note = f"observed: a time is measured for answer: duration, this is answer: {answer}"
        section.note("L004", note, key="observed", help_="write CEL that gives the list of all right answers")
    return "", first, after


def _check_keys(section: Section, asked: Prediction) -> None:
    """A key that this kind of answer cannot honour would mislead the author."""
    for key, kinds in _ONLY.items():
        if asked.answer not in kinds and section.has(key):
            message = f'"{asked.id}": answer: {asked.answer} takes no {key}'
            section.note(
                "L004", message, key=key, at_key=True, help_=f"{key} is for {', '.join(sorted(kinds))}"
            )


def _check_choices(section: Section, asked: Prediction) -> None:
    if asked.answer not in CHOSEN:
        return
    if len(asked.choices) < 2:
        section.note("L004", f'"{asked.id}": answer: {asked.answer} needs at least two choices')
    if len(asked.choices) > MOST_CHOICES:
        message = f"choices: {len(asked.choices)}; at most {MOST_CHOICES} can be compared at a glance"
        section.note("L004", message, key="choices")
    if asked.answer == "match" and not asked.given:
        help_ = "given: {monolith: The monolith, micro: The microservices}"
        section.note("L004", f'"{asked.id}": answer: match needs given:, the left side', help_=help_)


def _check_curve(section: Section, asked: Prediction) -> None:
    if asked.answer != "curve":
        return
    if asked.points is None or not 2 <= asked.points <= MOST_POINTS:
        message = f'"{asked.id}": answer: curve needs points: or labels:, 2 to {MOST_POINTS} of them'
        section.note("L004", message, key="points" if section.has("points") else None)
    elif asked.labels and len(asked.labels) != asked.points:
        section.note("L004", f"labels: {len(asked.labels)} for {asked.points} points", key="labels")


def _check_tolerance(section: Section, asked: Prediction) -> None:
    text = asked.tolerance
    if text is None or asked.answer not in _ONLY["tolerance"]:
        return
    try:
        read_tolerance(text)
    except ValueError as problem:
        section.note("L004", f"tolerance: {problem}", key="tolerance")
        return
    if asked.answer != "duration" and text.strip().endswith(_TIMES):
        section.note("L004", f'tolerance: "{text}" is a time; {asked.id} asks for a number', key="tolerance")
