"""Predicates in CEL: the one place that speaks to the CEL runtime.

An expression is read twice: by the CEL project's runtime, which checks types and evaluates, and by
`cel_syntax`, which gives the tree for names, bounds and helpers. Helpers over literal arguments, such as
`pods("app=x")`, become variables that a state fills on demand and the runtime converts at most once per
state; a call back into Python would convert every object at every evaluation (measured: 150 us against 4).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

from cel_expr_python import cel
from cel_expr_python.ext import ext_optional

from sandbox.record import cel_bounds, cel_names, derived
from sandbox.record.cel_names import Names
from sandbox.record.cel_syntax import Node, SyntaxProblem, read
from sandbox.record.projecting.quantities import read_quantity

__all__ = [
    "CelError",
    "Names",
    "Predicate",
    "Template",
    "Undecided",
    "View",
    "compile_predicate",
    "interpolate",
]

Slot: TypeAlias = tuple[str, ...]
Want: TypeAlias = Literal["bool", "any"]

_T = cel.Type
_OBJECT = _T.Map(_T.STRING, _T.DYN)
_OBJECTS = _T.List(_OBJECT)
_VARIABLES: dict[str, Any] = {
    "params": _OBJECT,
    "probe": _T.Map(_T.STRING, _OBJECT),
    "prediction": _OBJECT,
    "answer": _OBJECT,
    "check": _T.Map(_T.STRING, _T.STRING),
    "sandbox": _OBJECT,
    "at": _T.TIMESTAMP,
    "object": _OBJECT,
    "old": _T.DYN,
    "op": _T.STRING,
}
_SLOT_TYPES = {"one": _OBJECT, "digest": _T.STRING, "elapsed": _T.STRING}
_CALLS: dict[str, tuple[list[Any], Any]] = {
    "objects": ([_T.STRING], _OBJECTS),
    "pods": ([_T.STRING], _OBJECTS),
    "readyPods": ([_T.STRING], _OBJECTS),
    "endpoints": ([_T.STRING], _OBJECTS),
    "one": ([_T.STRING, _T.STRING], _OBJECT),
    "digest": ([_T.STRING], _T.STRING),
    "quantity": ([_T.STRING], _T.DOUBLE),
    "ready": ([_OBJECT], _T.BOOL),
    "owner": ([_OBJECT], _OBJECT),
    "cond": ([_OBJECT, _T.STRING], _T.STRING),
    "label": ([_OBJECT, _T.STRING], _T.STRING),
    "restarts": ([_OBJECT], _T.INT),
    "imageDigest": ([_OBJECT, _T.STRING], _T.STRING),
    "age": ([_OBJECT], _T.DURATION),
}
# How a helper over an object is written in plain CEL over what `derived.derive` keeps beside its fields.
_REWRITTEN = {
    "ready": f'({{0}})[?"{derived.READY}"].orValue(false)',
    "owner": f'({{0}})[?"{derived.OWNER}"].orValue({{{{}}}})',
    "cond": f'({{0}})[?"{derived.CONDITIONS}"][?({{1}})].orValue("Unknown")',
    "label": '({0}).?metadata.?labels[?({1})].orValue("")',
    "restarts": f'({{0}})[?"{derived.RESTARTS}"].orValue(0)',
    "imageDigest": f'({{0}})[?"{derived.DIGESTS}"][?({{1}})].orValue("")',
    "age": "(at - timestamp(({0}).metadata.creationTimestamp))",
}
_LOOKED_UP = frozenset({"objects", "pods", "readyPods", "endpoints", "one", "digest"})
_PROBLEM = re.compile(r"ERROR: <input>:(\d+):(\d+): ([^\n]*)")
_UNDECLARED = re.compile(r"undeclared reference to '([^']*)'")
_CONTAINER = re.compile(r" ?\(in container '[^']*'\)")


class CelError(ValueError):
    """The expression cannot be used. `column` and `line` count from 1; the message ends with what to do."""

    def __init__(self, message: str, column: int, line: int = 1) -> None:
        super().__init__(message)
        self.message, self.column, self.line = message, column, line


class Undecided(NamedTuple):
    """An evaluation that gave no answer: a missing field, a wrong type, a bound passed. Never a fail."""

    reason: str

    def __bool__(self) -> bool:
        raise TypeError("undecided is neither true nor false; compare with isinstance")


class View(Protocol):
    """A state that predicates are evaluated against.

    `activation` is None whenever the state has changed; `bound` is kept by the predicates: the variables
    they asked for so far.
    """

    activation: Any
    bound: dict[str, Slot]

    def lookup(self, slot: Slot) -> Any:
        """What a slot holds now, as plain data: ("pods", "app=x"), ("one", "Lease", "a"), ("params",)."""


class Predicate:
    """A compiled expression.

    `kinds` says what it reads, for incremental evaluation: object kinds ("Pod"), "probe/front", "check",
    "prediction", "answer", "clock", "each"; params and sandbox facts never change and are not in it.
    `mentioned` are all field names in it, for lint.
    """

    def __init__(
        self, text: str, tree: Node, expression: Any, slots: dict[str, Slot], calls_back: bool
    ) -> None:
        self.text = text
        self.kinds = _reads(tree)
        self.mentioned = frozenset(node.text for node in tree.walk() if node.form == "select")
        self._tree, self._expression, self._calls_back = tree, expression, calls_back
        used = {node.text for node in tree.walk() if node.form == "name"} & _VARIABLES.keys()
        if any(node.form == "call" and node.text == "age" for node in tree.walk()):
            used.add("at")
        self._slots = {**slots, **{each: (each,) for each in used}}

    def cost(self, pods: int) -> int:
        """Loop iterations at worst with twice `pods` Pods."""
        return cel_bounds.iterations(self._tree, pods)

    def evaluate(self, view: View) -> bool | Undecided:
        """True or false in this state, or Undecided with the reason."""
        value = self.value(view)
        if value is True or value is False or isinstance(value, Undecided):
            return value
        return Undecided(f"expected true or false, found {type(value).__name__}")

    def value(self, view: View) -> Any | Undecided:
        """The value as plain data."""
        token = _VIEW.set(view) if self._calls_back else None
        try:
            if view.activation is None or not self._slots.keys() <= view.bound.keys():
                view.bound.update(self._slots)
                view.activation = _ENV.Activation(_bindings(view))
            result = self._expression.eval(view.activation)
            if result.type() == _T.ERROR:
                return Undecided(str(result.value()))
            return result.plain_value()
        except _ODD as problem:
            return Undecided(str(problem))
        finally:
            if token is not None:
                _VIEW.reset(token)


def _bindings(view: View) -> dict[str, Any]:
    """Every variable asked for so far; the runtime converts only those an expression really reads."""
    found = {}
    for name, slot in view.bound.items():
        try:
            found[name] = view.lookup(slot)
        except LookupError:
            continue  # the runtime then says that the name has no value
    return found


# The runtime raises the first for its bounds and for values it cannot take; the others come of objects that
# do not look like what the API server makes. None of it is the student's fault.
_ODD = (RuntimeError, TypeError, ValueError, AttributeError)
_VIEW: ContextVar[View] = ContextVar("view")


def compile_predicate(text: str, *, names: Names, want: Want = "bool") -> Predicate:
    """Check and compile one expression.

    Raises CelError with the first problem: syntax, a name that is not available here, a type, the cost.
    """
    return _compile(text, names, want)


@lru_cache(maxsize=4096)
def _compile(text: str, names: Names, want: Want) -> Predicate:
    tree = _read(text)
    for problem in cel_names.problems(tree, names):
        raise _error(text, problem.message, problem.offset)
    _check_types(text, want)
    _check_cost(text, tree, names.pods)
    rewriting = _Rewriting(text)
    rewritten = rewriting.text_of(tree)
    variables = {**_VARIABLES, **{name: _slot_type(slot) for name, slot in rewriting.slots.items()}}
    try:
        expression = _new_env(variables).compile(rewritten)
    except RuntimeError as problem:
        raise CelError(f"cannot be compiled: {_first_problem(str(problem))[2]}", 1) from problem
    return Predicate(text, tree, expression, rewriting.slots, rewriting.calls_back)


def _read(text: str) -> Node:
    if len(text) > cel_bounds.MOST_CHARACTERS:
        raise CelError(
            f"{len(text)} characters are more than {cel_bounds.MOST_CHARACTERS}; split the check", 1
        )
    if found := cel_names.dashed(text):
        raise _error(text, found.message, found.offset)
    try:
        return read(text)
    except SyntaxProblem as problem:
        raise _error(text, str(problem), problem.offset) from problem


def _check_types(text: str, want: Want) -> None:
    try:
        type_ = _ENV.compile(text).return_type()
    except RuntimeError as problem:
        line, column, message = _first_problem(str(problem))
        raise CelError(message, column, line) from problem
    if want == "bool" and type_ not in (_T.BOOL, _T.DYN):
        raise CelError(f"must be true or false, this is {type_.name().lower()}", 1)


def _check_cost(text: str, tree: Node, pods: int) -> None:
    count = cel_bounds.nodes(tree)
    if count > cel_bounds.MOST_NODES:
        raise CelError(f"{count} syntax nodes are more than {cel_bounds.MOST_NODES}; split the check", 1)
    depth = cel_bounds.nested(tree)
    if depth > cel_bounds.MOST_NESTED:
        raise CelError(f"macros are nested {depth} deep, at most {cel_bounds.MOST_NESTED} are allowed", 1)
    worst = cel_bounds.iterations(tree, pods)
    if worst > cel_bounds.MOST_ITERATIONS:
        bound = f"{worst:,} iterations > {cel_bounds.MOST_ITERATIONS:,}"
        raise CelError(f"worst case {bound}: loops over objects stand in one another", 1)


def _first_problem(message: str) -> tuple[int, int, str]:
    """Line, column and words of the runtime's first problem."""
    found = _PROBLEM.search(message)
    if found is None:
        return 1, 1, message.strip()
    words = _CONTAINER.sub("", found[3]).strip()
    if undeclared := _UNDECLARED.search(words):
        name = undeclared[1].partition(".")[0]
        words = f'there is no "{name}" here{cel_names.suggest(name, [*_VARIABLES, *_CALLS])}'
    return int(found[1]), int(found[2]), words


def _error(text: str, message: str, offset: int) -> CelError:
    before = text[:offset]
    line = before.count("\n") + 1
    return CelError(message, offset - (before.rfind("\n") + 1) + 1, line)


class _Rewriting:
    """Writes an expression anew with its helpers as variables and plain CEL."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.slots: dict[str, Slot] = {}
        self.calls_back = False

    def text_of(self, node: Node) -> str:
        if node.form == "call" and not node.member and node.text in _CALLS:
            return self._helper(node)
        if node.form == "select" and node.text == "elapsed" and node.parts[0].text == "sandbox":
            return f"duration({self._variable(('elapsed',))})"
        if node.form == "select" and node.text == "at" and _is_probe(node.parts[0]):
            return f"timestamp({self._spliced(node)})"  # maps carry no times into the runtime
        return self._spliced(node)

    def _helper(self, node: Node) -> str:
        literals = [part.string for part in node.parts]
        if node.text in _REWRITTEN:
            return _REWRITTEN[node.text].format(*(self.text_of(part) for part in node.parts))
        if node.text == "quantity" and literals[0] is not None:
            return repr(_literal_quantity(self._text, node, literals[0]))
        if node.text in _LOOKED_UP and None not in literals:
            return self._variable((node.text, *(str(each) for each in literals)))
        self.calls_back = True
        return self._spliced(node)

    def _variable(self, slot: Slot) -> str:
        name = f"_{slot[0]}_{hashlib.sha256(repr(slot).encode()).hexdigest()[:16]}"
        self.slots[name] = slot
        return name

    def _spliced(self, node: Node) -> str:
        out, at = [], node.start
        for part in node.parts:
            out += [self._text[at : part.start], self.text_of(part)]
            at = part.end
        return "".join([*out, self._text[at : node.end]])


def _is_probe(node: Node) -> bool:
    return (cel_names.entry_of(node) or ("",))[0] == "probe"


def _literal_quantity(text: str, node: Node, literal: str) -> float:
    try:
        return read_quantity(literal)
    except ValueError as problem:
        raise _error(text, str(problem), node.parts[0].start) from problem


def _slot_type(slot: Slot) -> Any:
    return _SLOT_TYPES.get(slot[0], _OBJECTS)


def _reads(tree: Node) -> frozenset[str]:
    found: set[str] = set()
    entries = [node for node in tree.walk() if cel_names.entry_of(node) is not None]
    named = {id(node.parts[0]) for node in entries}
    for node in entries:
        map_, key = cel_names.entry_of(node) or ("", "")
        found.add(f"probe/{key}" if map_ == "probe" else map_)
    for node in tree.walk():
        if node.form == "name" and id(node) not in named:
            found |= _READ_BY_NAME.get(node.text, frozenset())
        elif node.form == "select" and node.text == "elapsed" and node.parts[0].text == "sandbox":
            found.add("clock")
        elif node.form == "call" and not node.member:
            found |= _read_by_call(node)
    return frozenset(found - {"params"})


_READ_BY_NAME = {
    "object": frozenset({"each"}),
    "old": frozenset({"each"}),
    "op": frozenset({"each"}),
    "at": frozenset({"clock"}),
    "probe": frozenset({"probe/*"}),
    "prediction": frozenset({"prediction"}),
    "answer": frozenset({"answer"}),
    "check": frozenset({"check"}),
}


def _read_by_call(node: Node) -> frozenset[str]:
    if node.text in ("pods", "readyPods"):
        return frozenset({"Pod"})
    if node.text == "endpoints":
        return frozenset({"EndpointSlice"})
    if node.text == "age":
        return frozenset({"clock"})
    if node.text in ("objects", "one") and node.parts:
        return frozenset({node.parts[0].string or ""})
    return frozenset()


# What helpers do when their arguments are known only in the state: slower, and rare.


def _lookup(name: str) -> Any:
    def called(*arguments: Any) -> Any:
        return _VIEW.get().lookup((name, *arguments))

    return called


def _not_called(*_arguments: Any) -> Any:
    raise TypeError("this helper is rewritten before it can be called")


def _functions() -> list[Any]:
    made = []
    for name, (parameters, result) in _CALLS.items():
        impl = {"quantity": read_quantity}.get(name, _not_called)
        if name in _LOOKED_UP:
            impl = _lookup(name)
        overload = cel.Overload(name, return_type=result, parameters=parameters, impl=impl)
        made.append(cel.FunctionDecl(name, [overload]))
    return made


def _new_env(variables: Mapping[str, Any]) -> Any:
    return cel.NewEnv(variables=variables, extensions=[ext_optional.ExtOptional()], functions=_functions())


_ENV = _new_env(_VARIABLES)


class Template:
    """Text with `${CEL}` in it. Raises CelError when an expression cannot be used; `column` is the text's."""

    def __init__(self, text: str, *, names: Names) -> None:
        self._parts: list[str | Predicate] = []
        at = 0
        for start, end in _holes(text):
            try:
                inner = compile_predicate(text[start + 2 : end - 1], names=names, want="any")
            except CelError as problem:
                offset = problem.column - 1 if problem.line == 1 else 0
                raise _error(text, problem.message, start + 2 + offset) from problem
            self._parts += [text[at:start], inner]
            at = end
        self._parts.append(text[at:])

    @property
    def predicates(self) -> list[Predicate]:
        return [part for part in self._parts if isinstance(part, Predicate)]

    def render(self, view: View) -> str:
        """The text with every expression's value in this state; "?" where it has none."""
        return "".join(part if isinstance(part, str) else _shown(part.value(view)) for part in self._parts)


class _Values:
    """A view of given values only."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.activation: Any = None
        self.bound: dict[str, Slot] = {}
        self._values = values

    def lookup(self, slot: Slot) -> Any:
        return self._values[slot[0]]


def interpolate(text: str, values: Mapping[str, Any]) -> str:
    """`${params.x}` and the like in a text of the lesson. `values`: {"params": {...}, "sandbox": {...}}.

    Raises CelError for an expression that cannot be used or has no value.
    """
    out, at, view = [], 0, _Values(values)
    for start, end in _holes(text):
        inner = text[start + 2 : end - 1]
        value = compile_predicate(inner, names=Names(clock=True, committed=True), want="any").value(view)
        if isinstance(value, Undecided):
            raise _error(text, f"{inner} has no value: {value.reason}", start)
        out += [text[at:start], _shown(value)]
        at = end
    return "".join([*out, text[at:]])


def _holes(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each `${…}`; braces and quotes inside are respected."""
    at = 0
    while (start := text.find("${", at)) >= 0:
        at = _hole_end(text, start)
        yield start, at


def _hole_end(text: str, start: int) -> int:
    depth, quote = 1, ""
    for at in range(start + 2, len(text)):
        character = text[at]
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in "{}":
            depth += 1 if character == "{" else -1
            if depth == 0:
                return at + 1
    raise _error(text, '"${" is never closed', start)


def _shown(value: Any) -> str:
    if isinstance(value, Undecided):
        return "?"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dt.timedelta):
        return f"{value.total_seconds():g} s"
    if isinstance(value, list):
        return ", ".join(_shown(each) for each in value)
    return "" if value is None else str(value)
