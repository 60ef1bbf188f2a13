"""One check (or claim) of an exercise file: exactly one operator and its window. Format, section 4.4."""

from __future__ import annotations

from typing import Any, cast

from lessons.durations import parse_anchor, parse_duration
from lessons.reading import Section, is_id, shown
from sandbox.record.exercise import Check, Moment, Operator

OPERATORS: tuple[str, ...] = (
    "now", "eventually", "always", "never", "before", "count", "recovered", "stays", "predicted", "answered",
)  # fmt: skip
NEEDS_WINDOW = frozenset({"always", "never"})
OCCURRENCES = ("last", "first", "all")


def read_check(section: Section, *, say: str | None = None, identity: str | None = None) -> Check:
    """A claim brings its own `say` and `identity`; a check has them in the map."""
    operator = _operator(section)
    first, then = _moments(section) if operator == "before" else (None, None)
    points = section.whole("points", 1)
    within = _within(section, points)
    if not section.has("points"):
        points = max((worth for _, worth in within), default=1)
    check = Check(
        id=identity or read_id(section),
        say=say if say is not None else section.required_text("say"),
        operator=cast("Operator", operator),
        predicate="" if operator == "before" else section.text(operator).strip(),
        first=first,
        then=then,
        each=section.optional_text("each"),
        during=section.optional_text("during"),
        start=_anchor(section, "from"),
        until=_anchor(section, "until"),
        after=_anchor(section, "after"),
        within=within,
        lasting=section.seconds("for", 0.0) if section.has("for") else None,
        grace=section.seconds("grace", 0.0),
        minimum=section.number("min"),
        maximum=section.number("max"),
        share=section.number("share"),
        must_break=section.flag("must_break"),
        occurrence=cast("Any", section.choice("occurrence", OCCURRENCES, "last")),
        points=points,
        needs=section.texts("needs"),
        required=section.flag("required"),
    )
    _check_window(section, check)
    section.finish()
    return check


def read_id(section: Section) -> str:
    """L002 unless it is lower-case letters, digits and dashes, a letter first."""
    text = section.required_text("id")
    if text and not is_id(text):
        message = f'id "{text}": use lower-case letters, digits and dashes'
        section.note("L002", message, key="id", help_="a letter comes first, for example never-empty")
    return text


def _operator(section: Section) -> str:
    found = [name for name in OPERATORS if section.has(name)]
    if len(found) == 1:
        return found[0]
    what = f"{len(found)} operators: {', '.join(found)}" if found else "no operator"
    section.note(
        "L025",
        f"a check has exactly one operator, this one has {what}",
        help_=f"one of {', '.join(OPERATORS)}",
    )
    return found[0] if found else "now"


def _moments(section: Section) -> tuple[Moment | None, Moment | None]:
    inner = section.section("before")
    if inner is None:
        return None, None
    moments = (_moment(inner, "first"), _moment(inner, "then"))
    inner.finish()
    return moments


def _moment(section: Section, key: str) -> Moment | None:
    value = section.raw(key)
    if isinstance(value, str):
        return Moment(each=None, when=value.strip())
    if value is None:
        section.note("L025", f'before: "{key}" is missing')
        return None
    inner = Section(section.source, (*section.path, key), section.problems)
    moment = Moment(each=inner.optional_text("each"), when=inner.required_text("when"))
    inner.finish()
    return moment


def _anchor(section: Section, key: str) -> str | None:
    text = section.optional_text(key)
    if text is None:
        return None
    try:
        parse_anchor(text)
    except ValueError as error:
        section.note("L004", f"{key}: {error}", key=key)
        return None
    return text


def _within(section: Section, points: int) -> tuple[tuple[float, int], ...]:
    """`30s` is full points; `{30s: 2, 60s: 1}` is points by deadline, ascending."""
    value = section.raw("within")
    if value is None:
        return ()
    if not isinstance(value, dict):
        return ((section.seconds("within", 0.0), points),)
    steps: list[tuple[float, int]] = []
    for text, worth in value.items():
        try:
            seconds = parse_duration(text)
        except ValueError as error:
            section.note("L004", f"within: {error}", key="within")
            continue
        if isinstance(worth, int) and not isinstance(worth, bool) and worth >= 0:
            steps.append((seconds, worth))
        else:
            section.note("L004", f"within: expected points for {text}, found {shown(worth)}", key="within")
    return tuple(sorted(steps))


def _check_window(section: Section, check: Check) -> None:
    """L025: what the operator cannot do without."""
    if check.operator in NEEDS_WINDOW and not (check.during or check.start or check.until):
        section.note("L025", f"{check.operator} needs during: or from:/until:")
    if check.operator == "recovered" and not (check.after and check.within):
        section.note("L025", "recovered needs after: and within:")
    if check.operator == "count" and check.minimum is None and check.maximum is None and check.share is None:
        section.note("L025", "count needs min:, max: or share:")
    if check.operator == "count" and not check.each:
        section.note("L025", "count counts changes: say which with each:")
    if check.operator == "stays" and (check.lasting is None):
        section.note("L025", "stays needs for:")
    if check.during and (check.start or check.until):
        section.note("L025", "a window is either during: or from:/until:, not both")
    if check.operator in ("predicted", "answered") and check.each:
        section.note("L025", f"{check.operator} takes an id, not each:")
