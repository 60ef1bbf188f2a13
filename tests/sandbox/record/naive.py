"""An evaluator that sees the whole record at once. Slow, plain, and written apart from the engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox.record.exercise import Check

INF = float("inf")


@dataclass
class Thing:
    """One entry, reduced to what the small exercises look at."""

    at: float
    kind: str  # flag, verb, start, end, gap, submit, handover
    value: Any = None
    state: bool | None = None  # the flag after it


@dataclass
class Window:
    opened: int
    start: float
    end: float = INF  # last moment that belongs to it
    last: int | None = None  # or the last entry that belongs to it


@dataclass
class Seen:
    """A window with its states and changes: (at, index, value)."""

    states: list[tuple[float, int, bool | None]]
    changes: list[tuple[float, int, bool | None]] = field(default_factory=list)


def judge(check: Check, things: list[Thing], settle: float) -> tuple[str, int]:
    """(outcome, points) of a check after the hand-over, the last of `things`."""
    found = windows(check, things, settle)
    if not found:
        return "fail", 0
    if check.occurrence == "first":
        return one(check, things, found[0])
    if check.occurrence == "all":
        results = [one(check, things, each) for each in found]
        for outcome in ("fail", "could-not-grade"):
            if any(each[0] == outcome for each in results):
                return outcome, 0
        return min(results, key=lambda each: each[1])
    return one(check, things, found[-1])


def windows(check: Check, things: list[Thing], settle: float) -> list[Window]:
    submit = next(i for i, each in enumerate(things) if each.kind == "submit")
    if check.during is None and check.start is None and check.after is None:
        return [Window(0, things[0].at, last=submit)]
    found = []
    for index, each in enumerate(things[:submit]):
        if check.start == "slow.end":
            previous = [other.kind for other in things[:index] if other.kind in ("start", "end")]
            if each.kind == "end" and previous and previous[-1] == "start":
                found.append(Window(index, each.at, last=None if check.within else submit))
        elif each.kind == "start":
            window = Window(index, each.at)
            if check.during is not None:
                close(window, things, settle)
            elif not check.within:
                window.last = submit
            found.append(window)
    return found


def close(window: Window, things: list[Thing], settle: float) -> None:
    for index in range(window.opened + 1, len(things)):
        if things[index].kind == "start" and index < submit_of(things):
            return
        if things[index].kind == "end":
            if settle:
                window.end = things[index].at + settle
            else:
                window.last = index
            return


def submit_of(things: list[Thing]) -> int:
    return next(i for i, each in enumerate(things) if each.kind == "submit")


def one(check: Check, things: list[Thing], window: Window) -> tuple[str, int]:
    extension = 0.0
    lost_at: list[int] = []
    for index in range(window.opened + 1, len(things)):
        gap = things[index]
        if gap.kind != "gap":
            continue
        result = decide(check, things, window, extension, lost_at, index)
        if result is not None:
            outcome, _, at, by_time = result
            if by_time and gap.value[0] <= at <= gap.value[1]:
                return "could-not-grade", 0
            # Kinds come back one by one: a state seen inside a gap may never have been, and fails nobody.
            if outcome == "fail" and gap.value[0] < at <= gap.value[1]:
                return "could-not-grade", 0
            continue
        if gap.value[1] < window.start:
            continue
        lost_at.append(index)
        extension += gap.value[1] - max(gap.value[0], window.start)
    result = decide(check, things, window, extension, lost_at, len(things))
    if result is None:
        return "could-not-grade", 0
    return result[0], result[1]


def decide(
    check: Check, things: list[Thing], window: Window, extension: float, lost_at: list[int], known: int
) -> tuple[str, int, float, bool] | None:
    """Outcome, points, when, and whether time alone decided it; None while open with `known` entries."""
    longest = check.within[-1][0] if check.within else INF
    limit = window.start + longest + min(extension, longest) if longest < INF else INF
    now = things[known].at if known < len(things) else things[-1].at
    closed = window.last is not None and window.last < known
    end = min(window.end, limit if check.operator != "recovered" else INF)
    seen: list[tuple[float, int, bool | None]] = [(window.start, window.opened, things[window.opened].state)]
    changes = []
    for index in range(window.opened + 1, known):
        each = things[index]
        if each.at > end or (window.last is not None and index > window.last):
            break
        if each.kind == "flag" or index in lost_at:
            seen.append((each.at, index, each.state))
        if each.kind == "verb":
            changes.append((each.at, index, each.value))
    over = closed or end < now
    finish = min(end, things[window.last].at) if closed and window.last is not None else end
    return _OPERATORS[check.operator](
        check, seen, changes, window, extension, bool(lost_at), over, finish, now, set(lost_at), limit
    )


def points_after(check: Check, seconds: float, extension: float) -> int:
    if not check.within:
        return check.points
    return next((p for limit, p in check.within if seconds <= limit + min(extension, limit)), 0)


def eventually(check, seen, changes, window, extension, lost, over, finish, now, gaps, limit):
    source = changes if check.each else seen
    for at, _, value in source:
        if value is True:
            return "pass", points_after(check, at - window.start, extension), at, False
    if over:
        return ("could-not-grade" if lost else "fail"), 0, finish, True
    return None


def always(check, seen, changes, window, extension, lost, over, finish, now, gaps, limit, wanted=True):
    undecided = False
    if check.each:
        for at, _, value in changes:
            if value is None:
                undecided = True
            elif value is not wanted:
                return "fail", 0, at, False
    else:
        bad = None
        for at, index, value in [*seen, (None, None, None)]:
            if bad is not None:
                until = finish if at is None else at
                reached = min(until, now) if at is None and not over else until
                if check.grace and bad + check.grace < reached:
                    return "fail", 0, bad + check.grace, True
            if at is None:
                break
            if index in gaps:
                bad = None
            if value is None:
                undecided, bad = True, None
            elif value is wanted:
                bad = None
            elif bad is None:
                bad = at
                if not check.grace:
                    return "fail", 0, at, False
    if over:
        return (
            ("could-not-grade" if lost or undecided else "pass"),
            (0 if lost or undecided else check.points),
            finish,
            True,
        )
    return None


def never(*arguments):
    return always(*arguments, wanted=False)


def count(check, seen, changes, window, extension, lost, over, finish, now, gaps, limit):
    number = 0
    undecided = False
    for at, _, value in changes:
        undecided = undecided or value is None
        number += value is True
        if check.maximum is not None and number > check.maximum:
            return "fail", 0, at, False
        if check.minimum is not None and check.maximum is None and number >= check.minimum:
            return "pass", points_after(check, at - window.start, extension), at, False
    if not over:
        return None
    if lost or (undecided and check.maximum is not None):
        return "could-not-grade", 0, finish, True
    good = check.minimum is None or number >= check.minimum
    return ("pass" if good else "fail"), (check.points if good else 0), finish, True


def stays(check, seen, changes, window, extension, lost, over, finish, now, gaps, limit):
    since = None
    for at, index, value in [*seen, (None, None, None)]:
        if since is not None:
            until = finish if at is None else at
            if at is None and not over:
                until = now
            reached = since + check.lasting
            # at the window's very end it counts; before an entry it must be over
            if reached < until or (at is None and over and reached <= finish):
                return "pass", points_after(check, reached - window.start, extension), reached, True
        if at is None:
            break
        if index in gaps:
            since = None
        since = (at if since is None else since) if value is True else None
    if over:
        return ("could-not-grade" if lost else "fail"), 0, finish, True
    return None


def recovered(check, seen, changes, window, extension, lost, over, finish, now, gaps, limit):
    hold = 3.0 if check.lasting is None else check.lasting
    broken = back = None
    undecided = False

    def verdict(at):
        held = back is not None and at >= back + hold
        if broken is not None and not held:
            return ("could-not-grade" if undecided else "fail"), 0, at, True
        if lost or undecided:
            return "could-not-grade", 0, at, True
        if back is not None:
            return "pass", points_after(check, back - window.start, extension), at, True
        if check.must_break:
            return "fail", 0, at, True
        return "pass", points_after(check, 0.0, extension), at, True

    def due():
        return back + hold if back is not None else limit

    for at, index, value in seen:
        if min(due(), window.end) < at:
            return verdict(min(due(), window.end))
        if index in gaps:
            back = None
        if value is None:
            undecided, back = True, None
        elif value is False:
            broken = at if broken is None else broken
            back = None
            if at > limit:
                found = verdict(at)
                return found[0], found[1], at, False
        elif broken is not None and back is None:
            back = at
    if over and window.last is not None:
        if due() < finish:
            return verdict(due())
        return verdict(finish)
    if min(due(), window.end) < now:
        return verdict(min(due(), window.end))
    return None


_OPERATORS = {
    "eventually": eventually,
    "always": always,
    "never": never,
    "count": count,
    "stays": stays,
    "recovered": recovered,
}
