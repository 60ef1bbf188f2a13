"""The blocks of a lesson's text: their names, options and how they are found in Markdown.

A block is `:::{name} argument`, `:option: value` lines, a body, and a closing line with as many colons as the
opening one. A block around another one has more colons. This is a rule of the Markdown parser, so that blocks
may stand in lists, and lists in blocks. Format, section 2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock

from lessons.problems import did_you_mean, with_suggestion

Body = Literal["none", "raw", "markdown"]
Argument = Literal["none", "optional", "required"]

_CHECK_OPTIONS = frozenset(
    [
        "now",
        "eventually",
        "always",
        "never",
        "before",
        "count",
        "recovered",
        "stays",
        "each",
        "during",
        "from",
        "until",
        "after",
        "within",
        "for",
        "grace",
        "min",
        "max",
        "share",
        "must_break",
        "occurrence",
    ]
)
_SCENE_OPTIONS = frozenset(
    [
        "focus",
        "highlight",
        "annotate",
        "layout",
        "toggle",
        "series",
        "at",
        "play",
        "pace",
        "until",
        "allow",
        "say",
    ]
)


class DirectiveKind(NamedTuple):
    argument: Argument
    options: frozenset[str]
    body: Body
    required: frozenset[str] = frozenset()


def _kind(argument: Argument, options: str = "", body: Body = "none", required: str = "") -> DirectiveKind:
    return DirectiveKind(argument, frozenset(options.split()), body, frozenset(required.split()))


KINDS: dict[str, DirectiveKind] = {
    "step": _kind("optional", "gate needs concepts minutes"),
    "scene": DirectiveKind("required", _SCENE_OPTIONS, "none"),
    "run": _kind("none", "in auto expect", "raw"),
    "copy": _kind("none", "", "raw"),
    "edit": _kind("required", "path value"),
    "file": _kind("required", "lines mark"),
    "predict": _kind("required"),
    "question": _kind("required"),
    "exercise": _kind("optional"),
    "checks": _kind("required"),
    "fault": _kind("required"),
    "compare": _kind("required", "of"),
    "chart": _kind("required", "from until mark"),
    "claim": DirectiveKind("required", _CHECK_OPTIONS, "markdown"),
    "when": _kind("required", "", "markdown"),
    "note": _kind("optional", "", "markdown"),
    "warning": _kind("optional", "", "markdown"),
    "misconception": _kind("required", "id", "markdown", "id"),
    "term": _kind("required", "", "markdown"),
    "tabs": _kind("none", "", "markdown"),
    "tab": _kind("required", "", "markdown"),
    "details": _kind("required", "", "markdown"),
    "figure": _kind("required", "alt caption"),
    "twin": _kind("none", "", "markdown"),
    "reflect": _kind("required", "min", "markdown"),
}
REPEATABLE = frozenset({"annotate"})
ROLES = ("term", "obj", "val", "key", "cmd")

_OPEN = re.compile(r"(:{3,})[ \t]*\{([^}]*)\}[ \t]*(.*)\Z")
_COLONS = re.compile(r"(:{3,})(.*)\Z")
_OPTION = re.compile(r":([A-Za-z_][A-Za-z0-9_-]*):(?:[ \t]+(.*)|[ \t]*)\Z")
_CODE_FENCE = re.compile(r"(`{3,}|~{3,})")


class Place(NamedTuple):
    """A line and column of the file, from 1."""

    line: int
    column: int


class Found(NamedTuple):
    """A problem in the text, before a file name is known."""

    place: Place
    code: str
    message: str
    help: str = ""


@dataclass
class Directive:
    """One block. `options` maps a name to its values in order (only `annotate` may have several)."""

    name: str
    argument: str
    place: Place
    options: dict[str, list[str]] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    body: str = ""
    body_line: int = 0
    is_one_paragraph: bool = False  # set when the page is rendered

    def option(self, name: str, default: str = "") -> str:
        return self.options.get(name, [default])[-1]

    def words(self, name: str) -> tuple[str, ...]:
        """An option as words, split at blanks and commas."""
        return tuple(self.option(name).replace(",", " ").split())

    @property
    def kind(self) -> DirectiveKind:
        return KINDS[self.name]


def directives_plugin(md: MarkdownIt) -> None:
    """Adds tokens `directive_open` and `directive_close`, whose `meta` is the Directive; problems go to
    `env["found"]` (list of Found), line numbers are those of the text plus `env["first_line"] - 1`."""
    md.block.ruler.before(
        "fence", "directive", _rule, {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]


def _place(state: StateBlock, line: int, within: int = 0) -> Place:
    start = state.bMarks[line] + state.tShift[line]
    line_start = state.src.rfind("\n", 0, start) + 1
    return Place(state.env.get("first_line", 1) + line, start - line_start + within + 1)


def _note(state: StateBlock, place: Place, code: str, message: str, help_: str = "") -> None:
    state.env.setdefault("found", []).append(Found(place, code, message, help_))


def _rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if state.is_code_block(start):
        return False
    text = _line(state, start)
    colons = _COLONS.match(text)
    if not colons:
        return False
    if silent:
        return True
    opening = _OPEN.match(text.rstrip())
    if not opening:
        _note_stray(state, start, colons)
        state.line = start + 1
        return True
    close = _closing_line(state, start, end, len(opening[1]))
    directive = Directive(opening[2].strip(), opening[3].strip(), _place(state, start))
    body_start = _read_options(state, directive, start + 1, close)
    _emit(state, directive, start, body_start, close)
    state.line = min(close + 1, end)
    return True


def _note_stray(state: StateBlock, line: int, colons: re.Match[str]) -> None:
    rest = colons[2].strip()
    if rest:
        message = f'"{colons[1]} {rest}" is not a block'
        _note(
            state,
            _place(state, line),
            "L014",
            message,
            f"write {colons[1]}{{name}} with a name of the format",
        )
    else:
        _note(
            state,
            _place(state, line),
            "L014",
            f'"{colons[1]}" closes nothing',
            "as many colons as the opening line",
        )


def _closing_line(state: StateBlock, start: int, end: int, colons: int) -> int:
    """The line that closes the block opened at `start`, or `end` with a problem noted."""
    fence = ""
    for line in range(start + 1, end):
        text = _line(state, line)
        if state.sCount[line] < state.blkIndent and text:
            break
        if match := _CODE_FENCE.match(text):
            if not fence:
                fence = match[1]
            elif text.startswith(fence) and not text.strip(fence[0]).strip():
                fence = ""
            continue
        if fence:
            continue
        if re.fullmatch(rf":{{{colons}}}[ \t]*", text):
            return line
        opening = _OPEN.match(text.rstrip())
        if opening and len(opening[1]) >= colons:
            return _note_unclosed(state, start, line, "a block around another one needs more colons than it")
    return _note_unclosed(state, start, end, "")


def _note_unclosed(state: StateBlock, start: int, end: int, help_: str) -> int:
    place = _place(state, start)
    colons = _COLONS.match(_line(state, start))
    _note(
        state,
        place,
        "L014",
        f'"{colons[1] if colons else ":::"}" opened at line {place.line} is never closed',
        help_,
    )
    return end if end == state.lineMax else end - 1


def _read_options(state: StateBlock, directive: Directive, start: int, close: int) -> int:
    """Reads option lines; returns the first line of the body."""
    line = start
    while line < close:
        text = _line(state, line).rstrip()
        match = _OPTION.match(text)
        if not match:
            break
        value = (match[2] or "").strip()
        place = _place(state, line)
        line += 1
        while line < close and state.sCount[line] - state.blkIndent >= 2 and _line(state, line).strip():
            value = f"{value} {_line(state, line).strip()}"
            line += 1
        directive.options.setdefault(match[1], []).append(value)
        directive.places.setdefault(match[1], place)
    return line


def _emit(state: StateBlock, directive: Directive, start: int, body_start: int, close: int) -> None:
    known = _check(state, directive)
    body = state.getLines(body_start, close, state.blkIndent, False) if body_start < close else ""
    directive.body, directive.body_line = body, state.env.get("first_line", 1) + body_start
    if not known:
        return
    if directive.kind.body == "none" and body.strip():
        message = f"{directive.name} takes no text"
        _note(state, _place(state, body_start), "L013", message, "options begin with a colon, :name: value")
    token = state.push("directive_open", "div", 1)
    token.meta, token.map, token.block = {"directive": directive}, [start, close], True
    if directive.kind.body == "markdown" and body_start < close:
        _tokenize(state, body_start, close)
    token = state.push("directive_close", "div", -1)
    token.meta, token.block = {"directive": directive}, True


def _tokenize(state: StateBlock, start: int, close: int) -> None:
    kept: tuple[Any, Any] = (state.parentType, state.lineMax)
    state.parentType, state.lineMax = "blockquote", close
    state.md.block.tokenize(state, start, close)
    state.parentType, state.lineMax = kept


def _check(state: StateBlock, directive: Directive) -> bool:
    """L012 and L013. False if the name is unknown."""
    kind = KINDS.get(directive.name)
    if kind is None:
        message = with_suggestion(f'unknown directive "{directive.name}"', directive.name, KINDS)
        _note(state, directive.place, "L012", message)
        return False
    for name, place in directive.places.items():
        if name not in kind.options:
            near = did_you_mean(name, kind.options)
            _note(
                state,
                place,
                "L013",
                f'{directive.name} has no option "{name}"' + (f"; {near}" if near else ""),
            )
        elif len(directive.options[name]) > 1 and name not in REPEATABLE:
            _note(state, place, "L013", f'option "{name}" is given twice')
    if kind.argument == "required" and not directive.argument:
        _note(
            state,
            directive.place,
            "L013",
            f"{directive.name} needs an argument",
            f":::{{{directive.name}}} ARGUMENT",
        )
    if kind.argument == "none" and directive.argument:
        _note(
            state,
            directive.place,
            "L013",
            f'{directive.name} takes no argument, found "{directive.argument}"',
        )
    for name in sorted(kind.required - set(directive.options)):
        _note(state, directive.place, "L013", f"{directive.name} needs the option :{name}:")
    return True
