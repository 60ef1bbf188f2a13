"""A reader of CEL's grammar: the tree with positions, for bounds, names and helpers. It evaluates nothing.

Types and evaluation are the CEL project's own runtime's (`cel.py`); that runtime gives Python no tree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

Form = Literal[
    "name", "literal", "select", "index", "call", "list", "map", "group", "unary", "binary", "choice"
]

_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
      |(?P<string>[rRbB]{0,2}(?:\"{3}(?:\\.|[^\\])*?\"{3}|'{3}(?:\\.|[^\\])*?'{3}
                 |"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
      |(?P<number>0x[0-9a-fA-F]+u?|\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?|\d+[uU]?)
      |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
      |(?P<mark>\.\?|\[\?|\{\?|&&|\|\||<=|>=|==|!=|[-+*/%<>!?:.,()\[\]{}])""",
    re.VERBOSE | re.DOTALL,
)
_LEVELS: tuple[tuple[str, ...], ...] = (
    ("||",),
    ("&&",),
    ("<", "<=", ">=", ">", "==", "!=", "in"),
    ("+", "-"),
    ("*", "/", "%"),
)
_MAX_DEPTH = 60


class SyntaxProblem(ValueError):
    """The text is no CEL. `offset` counts characters from 0."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Node:
    """One node; `text` is the name, field, operator or literal. A member call's target is its first part."""

    form: Form
    text: str
    start: int
    end: int
    parts: tuple[Node, ...] = ()
    member: bool = False
    optional: bool = False

    def walk(self) -> Iterator[Node]:
        yield self
        for part in self.parts:
            yield from part.walk()

    @property
    def string(self) -> str | None:
        """The value of a plain string literal, else None."""
        if self.form != "literal" or self.text[:1] not in "\"'" or "\\" in self.text:
            return None
        quotes = 3 if self.text[:3] in ('"""', "'''") else 1
        return self.text[quotes:-quotes]


@dataclass(slots=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


@dataclass(slots=True)
class _Reader:
    tokens: list[_Token]
    at: int = 0
    depth: int = field(default=0)

    @property
    def now(self) -> _Token:
        return self.tokens[self.at]

    def take(self) -> _Token:
        token = self.now
        self.at += 1
        return token

    def accept(self, *texts: str) -> _Token | None:
        if self.now.kind in ("mark", "name") and self.now.text in texts:
            return self.take()
        return None

    def expect(self, text: str) -> _Token:
        found = self.accept(text)
        if found is None:
            shown = self.now.text or "the end"
            raise SyntaxProblem(f'expected "{text}", found {shown}', self.now.start)
        return found


def read(text: str) -> Node:
    """The tree of an expression. Raises SyntaxProblem."""
    reader = _Reader(_tokens(text))
    node = _choice(reader)
    if reader.now.kind != "end":
        raise SyntaxProblem(f'"{reader.now.text}" is not expected here', reader.now.start)
    return node


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise SyntaxProblem(f'"{text[at]}" is not expected here', at)
        if match.lastgroup != "space":
            found.append(_Token(str(match.lastgroup), match.group(), at, match.end()))
        at = match.end()
    return [*found, _Token("end", "", at, at)]


def _choice(reader: _Reader) -> Node:
    reader.depth += 1
    if reader.depth > _MAX_DEPTH:
        raise SyntaxProblem("nested too deeply", reader.now.start)
    condition = _binary(reader, 0)
    if reader.accept("?"):
        yes = _binary(reader, 0)
        reader.expect(":")
        no = _choice(reader)
        condition = Node("choice", "?:", condition.start, no.end, (condition, yes, no))
    reader.depth -= 1
    return condition


def _binary(reader: _Reader, level: int) -> Node:
    if level == len(_LEVELS):
        return _unary(reader)
    left = _binary(reader, level + 1)
    while operator := reader.accept(*_LEVELS[level]):
        right = _binary(reader, level + 1)
        left = Node("binary", operator.text, left.start, right.end, (left, right))
    return left


def _unary(reader: _Reader) -> Node:
    operator = reader.accept("!", "-")
    if operator is None:
        return _member(reader)
    reader.depth += 1
    if reader.depth > _MAX_DEPTH:
        raise SyntaxProblem("nested too deeply", reader.now.start)
    operand = _unary(reader)
    reader.depth -= 1
    return Node("unary", operator.text, operator.start, operand.end, (operand,))


def _member(reader: _Reader) -> Node:
    node = _primary(reader)
    while mark := reader.accept(".", ".?", "[", "[?"):
        if mark.text in ("[", "[?"):
            index = _choice(reader)
            end = reader.expect("]").end
            node = Node("index", "[]", node.start, end, (node, index), optional=mark.text == "[?")
            continue
        name = reader.take()
        if name.kind != "name":
            raise SyntaxProblem("a field name is expected after the dot", name.start)
        if mark.text == "." and reader.accept("("):
            arguments, end = _arguments(reader)
            node = Node("call", name.text, node.start, end, (node, *arguments), member=True)
        else:
            node = Node("select", name.text, node.start, name.end, (node,), optional=mark.text == ".?")
    return node


def _primary(reader: _Reader) -> Node:
    token = reader.take()
    if token.kind in ("string", "number"):
        return Node("literal", token.text, token.start, token.end)
    if token.kind == "name":
        return _named(reader, token)
    if token.text == "(":
        inner = _choice(reader)
        end = reader.expect(")").end
        # the span takes the brackets in, so that a rewritten part keeps its binding
        return Node("group", "()", token.start, end, (inner,))
    if token.text == ".":
        name = reader.take()
        if name.kind != "name":
            raise SyntaxProblem("a name is expected after the dot", name.start)
        return _named(reader, name)
    if token.text in ("[", "[?"):
        return _list(reader, token)
    if token.text in ("{", "{?"):
        return _map(reader, token)
    raise SyntaxProblem(f"{token.text or 'the end'} is not expected here", token.start)


def _named(reader: _Reader, token: _Token) -> Node:
    if token.text in ("true", "false", "null"):
        return Node("literal", token.text, token.start, token.end)
    if reader.accept("("):
        arguments, end = _arguments(reader)
        return Node("call", token.text, token.start, end, arguments)
    return Node("name", token.text, token.start, token.end)


def _arguments(reader: _Reader) -> tuple[tuple[Node, ...], int]:
    found: list[Node] = []
    while (end := reader.accept(")")) is None:
        found.append(_choice(reader))
        if reader.now.text != ")":
            reader.expect(",")
    return tuple(found), end.end


def _list(reader: _Reader, opening: _Token) -> Node:
    found: list[Node] = []
    while (end := reader.accept("]")) is None:
        reader.accept("?")
        found.append(_choice(reader))
        if reader.now.text != "]":
            reader.expect(",")
    return Node("list", "[]", opening.start, end.end, tuple(found))


def _map(reader: _Reader, opening: _Token) -> Node:
    found: list[Node] = []
    while (end := reader.accept("}")) is None:
        reader.accept("?")
        found.append(_choice(reader))
        reader.expect(":")
        found.append(_choice(reader))
        if reader.now.text != "}":
            reader.expect(",")
    return Node("map", "{}", opening.start, end.end, tuple(found))
