"""The Markdown of lessons: CommonMark, tables, footnotes, task lists, our blocks and roles; no HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.myst_role import myst_role_plugin
from mdit_py_plugins.tasklists import tasklists_plugin

from lessons.directives import directives_plugin

_PLACE = re.compile(r"\$\{([^}\n]*)\}")
_TAG = re.compile(r"<(?:/?[A-Za-z][A-Za-z0-9-]*(?:\s[^<>]*)?/?|!--|!\[CDATA\[|\?)")
MOST_NESTING = 20


@cache
def parser() -> MarkdownIt:
    """One for the process: it keeps no state of its own; everything of a parse is in `env`."""
    md = MarkdownIt("commonmark", {"html": False, "maxNesting": MOST_NESTING})
    md.enable(["table", "strikethrough"])
    md.use(footnote_plugin).use(tasklists_plugin).use(myst_role_plugin).use(directives_plugin)
    md.inline.ruler.before("backticks", "interpolation", _interpolation)
    md.validateLink = lambda url: True  # type: ignore[method-assign]  # so that the linter sees what was written
    return md


def parse(text: str, first_line: int = 1) -> tuple[list[Token], dict[str, Any]]:
    """Tokens and the environment: `env["found"]` holds the problems of blocks."""
    env: dict[str, Any] = {"first_line": first_line, "found": []}
    return parser().parse(text, env), env


def _interpolation(state: StateInline, silent: bool) -> bool:
    match = _PLACE.match(state.src, state.pos)
    if not match:
        return False
    if not silent:
        token = state.push("interpolation", "", 0)
        token.content = match[1].strip()
    state.pos = match.end()
    return True


def plain_text(tokens: Sequence[Token]) -> str:
    """The words of inline tokens, for titles and word counts."""
    parts: list[str] = []
    for token in tokens:
        if token.children and token.type == "inline":
            parts.append(plain_text(token.children))
        elif token.type in ("text", "code_inline", "myst_role"):
            parts.append(token.content)
        elif token.type == "interpolation":
            parts.append(f"${{{token.content}}}")
        elif token.type in ("softbreak", "hardbreak"):
            parts.append(" ")
    return "".join(parts)


def inline_lines(tokens: Sequence[Token]) -> Iterator[tuple[int, Token]]:
    """(line from 0, token) of every inline token's child; the line is exact across soft breaks."""
    for token in tokens:
        if token.type != "inline" or not token.children:
            continue
        line = token.map[0] if token.map else 0
        for child in token.children:
            yield line, child
            line += child.type in ("softbreak", "hardbreak")


def raw_html(text: str) -> str:
    """The first thing in the text that looks like HTML, or an empty string."""
    match = _TAG.search(text)
    return f"{match[0].split()[0].rstrip('/>')}>" if match else ""
