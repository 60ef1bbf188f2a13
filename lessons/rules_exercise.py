"""Linter: are the checks evidence? L020 (misconceptions), L026, L027, L028, L033, L034."""

from __future__ import annotations

from collections.abc import Iterator

from lessons.durations import parse_anchor
from lessons.exercise_loading import LoadedExercise
from lessons.loading import LessonDraft
from lessons.problems import Problem, with_suggestion
from sandbox.record.cel_names import entry_of
from sandbox.record.cel_syntax import read
from sandbox.record.exercise import Check, Exercise, Fault

LEAST_WRONG = 3
LEAST_SECONDS = 5.0  # a replacement without any START_DELAY takes about one
DISRUPTIVE = frozenset(
    {"kill-pod", "kill-container", "drain-node", "stop-node", "kill-component", "fail-readiness", "slow-app"}
)
STUDENT_TEXT = frozenset({"annotations", "message", "reason_text", "note"})


def check_exercises(draft: LessonDraft) -> Iterator[Problem]:
    for exercise_id, loaded in draft.loaded.items():
        for check in loaded.exercise.checks:
            if check.id in loaded.places:
                yield from _earned(check, loaded)
                yield from _tolerant(check, loaded)
                yield from _not_hearsay(check, loaded)
        yield from _misconceptions_told(draft, loaded)
        yield from _faults_checked(loaded)
        yield from _wrong_ways(draft, exercise_id, loaded)


def _at(
    loaded: LoadedExercise, item_id: str, key: str | None, code: str, message: str, help_: str = ""
) -> Problem:
    section = loaded.places[item_id]
    mark = section.mark(key)
    return Problem(section.source.file, mark.line, mark.column, code, message, help_)


# --- L026 ----------------------------------------------------------------------------------------------
def _earned(check: Check, loaded: LoadedExercise) -> Iterator[Problem]:
    """always, never, count max and share hold while nothing happens: they need needs, or an earned window."""
    idle = check.operator in ("always", "never") or (check.operator == "count" and check.minimum is None)
    if not idle or not check.points or check.needs or _window_is_earned(check, loaded.exercise):
        return
    message = f'"{check.id}" passes while nothing happens'
    yield _at(
        loaded, check.id, check.operator, "L026", message, "add needs: or a window that has to be earned"
    )


def _window_is_earned(check: Check, exercise: Exercise) -> bool:
    """Opened by a fault that has needs of its own, or by a check that passed."""
    ids = [check.during] if check.during else []
    for anchor in (check.start, check.after):
        if anchor:
            parsed = parse_anchor(anchor)
            if parsed.edge == "pass":
                return True
            ids.append(parsed.id)
    return any(fault.id in ids and fault.needs for fault in exercise.faults)


# --- L027 ----------------------------------------------------------------------------------------------
def _tolerant(check: Check, loaded: LoadedExercise) -> Iterator[Problem]:
    fault = _fault_of(check, loaded.exercise)
    if fault is None or fault.kind not in DISRUPTIVE:
        return
    if (
        check.operator == "count"
        and check.maximum == 0
        and (check.each or "").startswith(("probe/", "load/"))
    ):
        message = f"max: 0 after {fault.kind}: allow 1–2"
        yield _at(loaded, check.id, "max", "L027", message)
    if check.operator == "count" and check.share is not None and check.share >= 1:
        message = f"share: 1 after {fault.kind}: allow a little less, such as 0.98"
        yield _at(loaded, check.id, "share", "L027", message)
    longest = max((seconds for seconds, _ in check.within), default=None)
    if longest is not None and longest < LEAST_SECONDS:
        message = f"within: {longest:g}s after {fault.kind}: allow at least {LEAST_SECONDS:g}s"
        yield _at(loaded, check.id, "within", "L027", message)


def _fault_of(check: Check, exercise: Exercise) -> Fault | None:
    """The fault whose window this check looks at."""
    named = {check.during}
    named |= {parse_anchor(anchor).id for anchor in (check.start, check.after, check.until) if anchor}
    return next((fault for fault in exercise.faults if fault.id in named), None)


# --- L028 ----------------------------------------------------------------------------------------------
def _not_hearsay(check: Check, loaded: LoadedExercise) -> Iterator[Problem]:
    if check.operator in ("predicted", "answered"):
        return
    moments = [moment for moment in (check.first, check.then) if moment]
    for text, key in [(check.predicate, check.operator), *((moment.when, "before") for moment in moments)]:
        for word in _hearsay(text):
            message = f'"{check.id}" reads {word}: message text is not evidence'
            yield _at(loaded, check.id, key, "L028", message, "check what the objects are")


def _hearsay(text: str) -> list[str]:
    try:
        tree = read(text)
    except ValueError:
        return []  # reported as L022
    return sorted(
        {
            node.text
            for node in tree.walk()
            if (node.form == "select" and node.text in STUDENT_TEXT and entry_of(node) is None)
            or (node.form == "literal" and node.string == "Event")
            or (node.form == "index" and node.parts[1].string in STUDENT_TEXT)
        }
    )


# --- L020 ----------------------------------------------------------------------------------------------
def _misconceptions_told(draft: LessonDraft, loaded: LoadedExercise) -> Iterator[Problem]:
    """A wrong choice points to a block of the text, so that who made it can read why."""
    blocks = [each for page in draft.pages for each in page.directives if each.name == "misconception"]
    told = {block.option("id") for block in blocks}
    for asked in (*loaded.exercise.predictions, *loaded.exercise.questions):
        for name in dict.fromkeys(asked.misconceptions.values()):
            if name not in told and asked.id in loaded.places:
                message = with_suggestion(f'misconceptions: no block has the id "{name}"', name, told)
                help_ = "a :::{misconception} in the text, with the option id"
                yield _at(loaded, asked.id, "misconceptions", "L020", message, help_)


# --- L033 ----------------------------------------------------------------------------------------------
def _faults_checked(loaded: LoadedExercise) -> Iterator[Problem]:
    watched: set[str] = set()
    for check in loaded.exercise.checks:
        if check.points and check.operator not in ("predicted", "answered", "now"):
            watched.add(check.during or "")
            watched |= {parse_anchor(a).id for a in (check.start, check.after, check.until) if a}
    for fault in loaded.exercise.faults:
        if fault.id not in watched and fault.id in loaded.places:
            message = f'nothing checks what happened during "{fault.id}"'
            help_ = f"a check with points and during: {fault.id}, or after: {fault.id}.start"
            yield _at(loaded, fault.id, "id", "L033", message, help_)


# --- L034 ----------------------------------------------------------------------------------------------
def _wrong_ways(draft: LessonDraft, exercise_id: str, loaded: LoadedExercise) -> Iterator[Problem]:
    if not draft.lesson:
        return
    wrong = [way for way in draft.lesson.ways.get(exercise_id, ()) if way.kind == "wrong"]
    if len(wrong) < LEAST_WRONG:
        message = f"wrong/ has {len(wrong)} of at least {LEAST_WRONG} wrong solutions"
        yield Problem(loaded.source.file, 1, 1, "L034", message, "each with # hint: ID on its first line")
