"""What an exercise asks, as plain data.

`lessons.loading` builds these from an exercise file; the engine in `sandbox.record.checks` reads them.
Durations are seconds (float). CEL stays text here; `record.cel` compiles it. Source of every field:
the lesson format, sections 4.1 to 4.11.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

Operator: TypeAlias = Literal[
    "now", "eventually", "always", "never", "before", "count", "recovered", "stays", "predicted", "answered"
]

Answer: TypeAlias = Literal[
    "choice", "number", "duration", "object", "node", "order", "curve", "set", "match"
]


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """Common base: immutable, compared by value."""


class Moment(Spec, frozen=True, kw_only=True):
    """One side of `before`: a predicate about a change of `each`, or about a state when `each` is None."""

    each: str | None
    when: str


class Check(Spec, frozen=True, kw_only=True):
    """One verdict about the record.

    `predicate` is CEL, except for `predicted` and `answered` (an id) and `before` (empty).
    """

    id: str
    say: str
    operator: Operator
    predicate: str
    first: Moment | None = None
    then: Moment | None = None
    each: str | None = None
    during: str | None = None
    start: str | None = None  # `from:` in the file, an anchor such as "kill.end+5s"
    until: str | None = None
    after: str | None = None
    within: tuple[tuple[float, int], ...] = ()  # (seconds, points), ascending; points = full ones if plain
    lasting: float | None = None  # `for:` in the file, seconds; None = the operator's default
    grace: float = 0.0
    minimum: float | None = None
    maximum: float | None = None
    share: float | None = None
    must_break: bool = False
    occurrence: Literal["last", "first", "all"] = "last"
    points: int = 1
    needs: tuple[str, ...] = ()
    required: bool = False


class Probe(Spec, frozen=True, kw_only=True):
    """Asked on schedule: from the platform by the prober, or in the student's toolbox (then for nothing but show).

    `target` is host:port/path for http, host:port for tcp, a name for dns. An exec probe runs `argv` in the
    toolbox; its `status` is the exit code, its `body` what it printed.
    """

    id: str
    kind: Literal["http", "tcp", "dns", "exec", "leader"]
    target: str
    every: float = 1.0
    timeout: float = 1.0
    ok: str = "object.status == 200"
    method: str = "GET"
    body: str = ""
    headers: dict[str, str] = {}
    origin: Literal["platform", "toolbox"] = "platform"  # `from:` in the file
    argv: tuple[str, ...] = ()
    type: str = ""  # of a dns question: A (also when empty), AAAA, SRV, TXT


class Load(Spec, frozen=True, kw_only=True):
    """Traffic of many customers to one Service of the sandbox.

    `target` is host:port/path, of a script host:port. `rate` requests a second, `rates` = those the student may
    choose from. `by`: student | timeline; `at` = seconds after the start, of a timeline's.
    """

    id: str
    target: str
    rate: float
    lasting: float
    script: Literal["", "browse", "basket", "order"] = ""
    shape: Literal["steady", "ramp", "burst"] = "steady"
    by: str = "student"
    at: float = 0.0
    rates: tuple[float, ...] = ()

    @property
    def choices(self) -> tuple[float, ...]:
        """Rates that may be started with; the first is the usual one."""
        return self.rates or (self.rate,)


class Fault(Spec, frozen=True, kw_only=True):
    """`by`: student | submit | timeline | prediction:<id> | check:<id>. `lasting` is `for:` in the file."""

    id: str
    kind: str
    target: str
    by: str = "student"
    pick: str | int = "one"
    grace: float | None = None
    at: str | None = None
    lasting: float | None = None
    settle: float = 0.0
    needs: tuple[str, ...] = ()
    parameters: dict[str, Any] = {}


class Mark(Spec, frozen=True, kw_only=True):
    """A window opened by a change of `each` with `when`, closed by the first state with `until`."""

    id: str
    each: str
    when: str
    until: str | None = None


class Prediction(Spec, frozen=True, kw_only=True):
    """What a student says: a prediction before the fact, or a question. Values by `answer`:

    choice = a key of `choices` · set = keys · order = all keys in order · match = {key of `given`: key of
    `choices`} · number · duration = seconds · node = its name · object = "Kind/name" · curve = `points` numbers.
    `observed` is CEL: a list of all right answers, each such a value; empty for a duration that is measured:
    the time from the anchor `after` until `first` (CEL) holds. Keys of `misconceptions` and `why` are choices:
    those chosen, of an order the one put first, of a match also "given/choice"; of a number its text.
    """

    id: str
    ask: str
    answer: Answer
    observed: str
    first: str | None = None
    after: str | None = None
    choices: dict[str, str] = {}
    given: dict[str, str] = {}  # match: what stands on the left, in the file's order
    points: int | None = None  # curve: how many values
    labels: tuple[str, ...] = ()  # curve: a word under each
    unit: str = ""
    before: str | None = None
    settle: float = 0.0
    misconceptions: dict[str, str] = {}
    why: dict[str, str] = {}
    tolerance: str | None = None


class Hint(Spec, frozen=True, kw_only=True):
    """First match wins; `when` None always matches. `say` and `ladder` are Markdown with ${CEL}."""

    id: str
    when: str | None
    say: str
    ladder: tuple[str, ...] = ()


class Exercise(Spec, frozen=True, kw_only=True):
    """One exercise of a lesson. `objects` are start manifests; values may still hold ${params.x}."""

    id: str
    title: str
    task: str
    time: float
    checks: tuple[Check, ...]
    ready: str | None = None
    gate: Literal["none", "soft", "hard"] = "soft"
    feedback: Literal["live", "on-submit", "after-close"] = "live"
    variants: dict[str, dict[str, Any]] = {}
    probes: tuple[Probe, ...] = ()
    loads: tuple[Load, ...] = ()
    marks: tuple[Mark, ...] = ()
    faults: tuple[Fault, ...] = ()
    predictions: tuple[Prediction, ...] = ()
    questions: tuple[Prediction, ...] = ()
    hints: tuple[Hint, ...] = ()
    pods: int = 4  # the lesson's budget at rest
    memory: int = 128 * 2**20  # bytes
    cpu: float = 0.4  # cores
    capabilities: tuple[str, ...] = ()
    objects: tuple[dict[str, Any], ...] = ()
    files: dict[str, str] = {}  # file name -> text the student starts from

    def load(self, load_id: str) -> Load:
        """Raises KeyError for an unknown id."""
        for load in self.loads:
            if load.id == load_id:
                return load
        raise KeyError(load_id)

    def fault(self, fault_id: str) -> Fault:
        """Raises KeyError for an unknown id."""
        for fault in self.faults:
            if fault.id == fault_id:
                return fault
        raise KeyError(fault_id)
