"""An evaluator that sees the whole record at once. Slow, plain, and written apart from the engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox.record.exercise import Check

INF = float("inf")
SHOWN_AFTER = 0.2  # seconds after the last object read again


@dataclass
class Thing:
    """One entry, reduced to what the small exercises look at."""

    at: float
    kind: str  # begin, flag, verb, start, end, gap, trouble, predict, answer, submit, handover
    value: Any = None  # of gap and trouble: first and last moment, kinds (None = everything)
    state: bool | None = None  # the flag after it
    hidden_since: float | None = None  # of start and end: read again after a gap that began then


@dataclass
class Window:
    opened: int
    start: float
    end: float = INF  # last moment that belongs to it
    last: int | None = None  # or the last entry that belongs to it
    earlier: list[Thing] = field(default_factory=list)  # trouble told before this attempt
    is_students: bool = False  # one that never ends is the student's own
    since: float | None = None  # it may have opened since then, unseen


@dataclass
class Seen:
    """A window with its states and changes: (at, index, value)."""

    states: list[tuple[float, int, bool | None]]
    changes: list[tuple[float, int, bool | None]] = field(default_factory=list)


def attempt(things: list[Thing]) -> tuple[list[Thing], list[Thing]]:
    """What came before the last beginning, and what came from it on."""
    begin = max(i for i, each in enumerate(things) if each.kind == "begin")
    return things[:begin], things[begin:]


def reaches(thing: Thing, reads: set[str]) -> bool:
    """Is this gap or trouble about what the check reads?"""
    if thing.kind not in ("gap", "trouble"):
        return False
    kinds = thing.value[2]
    return kinds is None or bool(reads & set(kinds))


def judge(check: Check, told: list[Thing], settle: float, *, by_mark: bool = False) -> tuple[str, int]:
    """(outcome, points) of a check after the hand-over, the last thing told.

    `by_mark`: what opens its windows is read from Deployments, so that a gap may hide it.
    """
    earlier, things = attempt(told)
    found = windows(check, things, settle)
    for window in found:
        window.is_students = by_mark and check.during is not None
        window.earlier = [each for each in earlier if each.kind == "trouble"]
    if not found:
        return ("could-not-grade" if by_mark and hides_marks(things) else "fail"), 0
    if check.occurrence == "first":
        return one(check, things, found[0])
    if check.occurrence == "all":
        results = [one(check, things, each) for each in found]
        for outcome in ("fail", "could-not-grade"):
            if any(each[0] == outcome for each in results):
                return outcome, 0
        return min(results, key=lambda each: each[1])
    return one(check, things, found[-1])


def hides_marks(things: list[Thing]) -> bool:
    """A gap between the beginning and the hand-in in which a Deployment may have changed twice."""
    begun, submitted = things[0].at, things[submit_of(things)].at
    gaps = [each.value for each in things if reaches(each, {"Deployment"})]
    return any(ended >= begun and began <= submitted for began, ended, _ in gaps)


def windows(check: Check, things: list[Thing], settle: float) -> list[Window]:
    submit = next(i for i, each in enumerate(things) if each.kind == "submit")
    if check.during is None and check.start is None and check.after is None:
        return [Window(0, things[0].at, last=submit)]
    found = []
    for index, each in enumerate(things[:submit]):
        if check.start == "slow.end":
            previous = [other.kind for other in things[:index] if other.kind in ("start", "end")]
            if each.kind == "end" and previous and previous[-1] == "start":
                last = None if check.within else submit
                found.append(Window(index, each.at, last=last, since=each.hidden_since))
        elif each.kind == "start":
            window = Window(index, each.at, since=each.hidden_since)
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


def reads(check: Check) -> set[str]:
    """Kinds of change or object."""
    if check.operator == "before":
        sides = (check.first, check.then)
        return {"ConfigMap" if side is None or side.each is None else side.each for side in sides}
    return {check.each or "ConfigMap"}


def one(check: Check, things: list[Thing], window: Window) -> tuple[str, int]:
    about = reads(check)
    known = [*window.earlier, *things[: window.opened + 1]]
    before = [each for each in known if each.kind == "trouble" and reaches(each, about)]
    lasting = [each for each in before if each.value[1] >= window.start]
    extension = sum(each.value[1] - max(each.value[0], window.start) for each in lasting)
    lost_at = [-1] * (len(lasting) + (window.since is not None))
    excused = [(*each.value[:2], -1) for each in lasting]
    for index in range(window.opened + 1, len(things)):
        gap = things[index]
        if not reaches(gap, about):
            continue
        result = decide(check, things, window, extension, lost_at, excused, index)
        if result is not None:
            outcome, _, at, by_time = result
            if by_time and gap.value[0] <= at <= gap.value[1]:
                return "could-not-grade", 0
            # Kinds come back one by one: a state seen inside a gap may never have been, and fails nobody.
            if outcome == "fail" and gap.value[0] < at <= gap.value[1]:
                return "could-not-grade", 0
            continue
        if gap.kind == "trouble":
            excused.append((*gap.value[:2], index))
        if gap.value[1] < window.start:
            continue
        lost_at.append(index)
        extension += gap.value[1] - max(gap.value[0], window.start)
    result = decide(check, things, window, extension, lost_at, excused, len(things))
    if result is None:
        return ("fail" if window.is_students and not lost_at else "could-not-grade"), 0
    return result[0], result[1]


def decide(
    check: Check,
    things: list[Thing],
    window: Window,
    extension: float,
    lost_at: list[int],
    excused: list[tuple[float, float, int]],
    known: int,
) -> tuple[str, int, float, bool] | None:
    """Outcome, points, when, and whether time alone decided it; None while open with `known` entries."""
    longest = check.within[-1][0] if check.within else INF
    limit = window.start + longest + min(extension, longest) if longest < INF else INF
    now = things[known].at if known < len(things) else things[-1].at
    closed = window.last is not None and window.last < known
    end = min(window.end, limit if check.operator != "recovered" else INF)
    seen = [forgiven(check, each, excused) for each in opening(window, things[:known], min(end, now))]
    changes = []
    for index in range(window.opened + 1, known):
        each = things[index]
        if each.at > end or (window.last is not None and index > window.last):
            break
        if each.kind == "flag" or index in lost_at:
            seen.append(forgiven(check, (each.at, index, each.state), excused))
        if each.kind == "verb":
            changes.append(forgiven(check, (each.at, index, each.value), excused))
    over = closed or end < now
    finish = min(end, things[window.last].at) if closed and window.last is not None else end
    return _OPERATORS[check.operator](
        check, seen, changes, window, extension, bool(lost_at), over, finish, now, set(lost_at), limit
    )


def opening(window: Window, things: list[Thing], until: float) -> list[tuple[float, int, bool | None]]:
    """The first state. Objects read again come one by one: what they make is seen with the next entry, or soon."""
    at, index = window.start, window.opened
    if window.since is None:
        return [(at, index, things[index].state)]
    after = things[index + 1] if index + 1 < len(things) else None
    if after is not None and after.at == at:
        return [] if window.last == index else [(at, index + 1, after.state)]
    return [(at + SHOWN_AFTER, index, things[index].state)] if at + SHOWN_AFTER < until else []


def forgiven(
    check: Check, seen: tuple[float, int, bool | None], excused: list[tuple[float, float, int]]
) -> tuple[float, int, bool | None]:
    """In trouble of ours nothing speaks for or against anybody; only a witness is a witness.

    What came before the trouble was told stands, but what was counted in it is not counted.
    """
    at, index, _ = seen
    for start, end, told in excused:
        if start <= at <= end and (index >= told or check.operator == "count"):
            return seen if check.operator in ("eventually", "before") else (at, index, None)
    return seen


def passed(
    check: Check, window: Window, at: float, extension: float, *, by_time: bool, reached: float | None = None
) -> tuple[str, int, float, bool]:
    """Points by how long it took; when nobody saw it begin, the longest and the shortest must give the same."""
    reached = at if reached is None else reached
    since = window.start if window.since is None else window.since
    slow, fast = (points_after(check, reached - start, extension) for start in (since, window.start))
    return ("pass", fast, at, by_time) if slow == fast else ("could-not-grade", 0, at, by_time)


def points_after(check: Check, seconds: float, extension: float) -> int:
    if not check.within:
        return check.points
    return next((p for limit, p in check.within if seconds <= limit + min(extension, limit)), 0)


def eventually(check, seen, changes, window, extension, lost, over, finish, now, gaps, limit):
    source = changes if check.each else seen
    for at, _, value in source:
        if value is True:
            return passed(check, window, at, extension, by_time=False)
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
            return passed(check, window, at, extension, by_time=False)
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
                return passed(check, window, reached, extension, by_time=True)
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
            return passed(check, window, at, extension, by_time=True, reached=back)
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


def now_(check, seen, changes, window, extension, lost, over, finish, now, gaps, limit):
    if not over:
        return None
    value = seen[-1][2] if seen else None
    if value is None:
        return "could-not-grade", 0, finish, True
    return ("pass" if value else "fail"), (check.points if value else 0), finish, True


def before(check, seen, changes, window, extension, lost, over, finish, now, gaps, limit):
    def true_at(side):
        if side.each is None:
            return [(at, index) for at, index, value in seen if value is True]
        wanted = side.when.split('"')[1] == "scale"
        return [(at, index) for at, index, value in changes if value is wanted]

    then = min(true_at(check.then), key=lambda each: each[1], default=None)
    if then is not None:
        if any(index < then[1] for _, index in true_at(check.first)):
            return "pass", check.points, then[0], False
        blind = any(index < then[1] or index == -1 for index in gaps)
        return ("could-not-grade" if blind else "fail"), 0, then[0], False
    if over:
        return ("could-not-grade" if lost else "fail"), 0, finish, True
    return None


# --- predictions and questions -------------------------------------------------------------------------
def judge_prediction(told: list[Thing], settle: float, points: int) -> tuple[str, int]:
    """Of a choice between "yes" and "no": what the flag shows `settle` seconds after the end of the fault."""
    _, things = attempt(told)
    submit = submit_of(things)
    locked = next((i for i, each in enumerate(things) if each.kind == "predict"), submit)
    first = next((i for i, each in enumerate(things) if each.kind == "start"), len(things))
    if min(first, submit) <= locked:
        return "fail", 0
    looks: list[tuple[float, float, float]] = []  # start and end of the fault, when it is looked at
    running = None
    for index, each in enumerate(things):
        if each.kind == "start" and index < submit:
            running = each.at
        elif each.kind == "end" and running is not None:
            looks.append((running, each.at, each.at + settle))
            running = None
    result = ("fail", 0)
    for n, (start, _, look) in enumerate(looks):
        if n + 1 == len(looks) or looks[n + 1][1] > look:  # else only once, after the later of the two
            state = [each.state for each in things if each.at <= look][-1]
            result = compared(things[locked].value, state, things, start, look, points)
    return result


def judge_answer(told: list[Thing], points: int) -> tuple[str, int]:
    """Looked at as soon as it is given; within a second after a lost gap, when that second is over."""
    earlier, things = attempt(told)
    given = next((i for i, each in enumerate(things) if each.kind == "answer"), len(things))
    if given > submit_of(things):
        return "fail", 0
    at, look, state = things[given].at, things[given].at, things[given].state
    gaps = [each for each in [*earlier, *things[:given]] if each.kind == "gap"]
    if gaps and at <= gaps[-1].value[1] + 1.0:
        look = gaps[-1].value[1] + 1.0
        state = [each.state for each in things if each.at <= look][-1]
    return compared(things[given].value, state, things, at, look, points)


def compared(
    value: str, state: bool | None, things: list[Thing], start: float, look: float, points: int
) -> tuple[str, int]:
    """Nothing is said when a gap told until `look` reaches beyond `start`, or one told later covers `look`."""
    for each in things:
        if reaches(each, {"ConfigMap"}):
            began, ended, _ = each.value
            if (each.at <= look and ended >= start) or began <= look <= ended:
                return "could-not-grade", 0
    if state is None:
        return "could-not-grade", 0
    return ("pass", points) if (value == "yes") is state else ("fail", 0)


_OPERATORS = {
    "now": now_,
    "before": before,
    "eventually": eventually,
    "always": always,
    "never": never,
    "count": count,
    "stays": stays,
    "recovered": recovered,
}
