"""The preview's pages as HTML: the bench (source with findings, page, last proof) and the lesson itself. Pure.

Everything that an author wrote is escaped here, but for `RenderedStep.html`, which the renderer has sanitised.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from lessons.codes import CODES
from lessons.models import Lesson
from lessons.problems import Problem
from lessons.rendering import RenderedStep

HERE = Path(__file__).parent
_KEY = re.compile(r"^(\s*(?:- )?)([\w.-]+:)(?=\s|$)")
_STATES = {True: ("ok", "proven"), False: ("bad", "not proven"), None: ("none", "nothing to prove")}


def _template(name: str) -> Template:
    return Template((HERE / name).read_text(encoding="utf-8"))


# --- the bench ------------------------------------------------------------------------------------------------
def bench_html(title: str, styles: Sequence[str], nonce: str) -> str:
    return _template("bench.html").substitute(
        title=escape(title), styles=_links(styles), nonce=escape(nonce, quote=True)
    )


def source_html(slug: str, sources: Mapping[str, str], findings: Sequence[Problem], chosen: str) -> str:
    """Tabs of all files, then the chosen one with its findings where they stand."""
    by_file: dict[str, list[Problem]] = {}
    for problem in findings:
        inside = problem.file.startswith(f"{slug}/")
        by_file.setdefault(
            problem.file.removeprefix(f"{slug}/") if inside else f"../{problem.file}", []
        ).append(problem)
    shown = chosen if chosen in sources else first_file(sources, by_file)
    tabs = "".join(_tab(name, len(by_file.get(name, ())), name == shown) for name in sources)
    homeless = [problem for name, found in by_file.items() if name not in sources for problem in found]
    cards = "".join(_card(problem) for problem in homeless)
    lines = _lines(sources.get(shown, ""), by_file.get(shown, ()))
    head = f'<nav class="files" aria-label="Files of the lesson">{tabs}</nav>'
    return f'{head}<div class="source" tabindex="0">{cards}<ol>{lines}</ol></div>{_count(findings)}'


def first_file(sources: Mapping[str, str], by_file: Mapping[str, Sequence[Problem]]) -> str:
    """The first file with an error, else the first with a finding, else the text.

    The exercise comes before the text: what is wrong in it makes the text's references wrong as well.
    """
    names = sorted(sources, key=lambda name: name != "exercise.yaml")
    with_errors = (name for name in names if any(each.is_error for each in by_file.get(name, ())))
    with_any = (name for name in names if by_file.get(name))
    return next(with_errors, next(with_any, next(iter(sources), "")))


def _tab(name: str, findings: int, is_shown: bool) -> str:
    mark = f'<b class="dot" title="{findings} findings">{findings}</b>' if findings else ""
    current = ' aria-current="true"' if is_shown else ""
    return f'<a href="#" data-file="{escape(name)}"{current}>{escape(name)}{mark}</a>'


def _lines(text: str, findings: Sequence[Problem]) -> str:
    at: dict[int, list[Problem]] = {}
    for problem in findings:
        at.setdefault(problem.line, []).append(problem)
    rows: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        found = at.get(number, [])
        kind = (
            "" if not found else ' class="bad"' if any(each.is_error for each in found) else ' class="warn"'
        )
        cards = "".join(_card(each) for each in found)
        rows.append(f"<li{kind}><code>{_coloured(line)}</code>{cards}</li>")
    return "".join(rows)


def _coloured(line: str) -> str:
    """Keys and comments stand out; nothing depends on it."""
    if line.lstrip().startswith("#"):
        return f"<i>{escape(line)}</i>"
    match = _KEY.match(line)
    if not match:
        return escape(line) or " "
    return f"{escape(match[1])}<u>{escape(match[2])}</u>{escape(line[match.end() :])}"


def _card(problem: Problem) -> str:
    kind = "bad" if problem.is_error else "warn"
    code = CODES[problem.code]
    way_out = f"<p>{escape(problem.way_out)}</p>" if problem.way_out else ""
    place = f"{problem.file}:{problem.line}:{problem.column}"
    return (
        f'<div class="card {kind}"><p><b>{problem.code}</b> <strong>{escape(problem.message)}</strong></p>{way_out}'
        f"<details><summary>glasshull lesson explain {problem.code}</summary><p>{escape(code.refuses)}. "
        f"{escape(code.why)}</p></details><small>{escape(place)}</small></div>"
    )


def _count(findings: Sequence[Problem]) -> str:
    errors = sum(problem.is_error for problem in findings)
    warnings = len(findings) - errors
    if not findings:
        return '<footer class="count"><span class="ok">Nothing to mend. Next: glasshull lesson verify</span></footer>'
    said = f'<span class="bad">{_many(errors, "error")}</span>' if errors else ""
    said += f'<span class="warn">{_many(warnings, "warning")}</span>' if warnings else ""
    return f'<footer class="count">{said}</footer>'


def _many(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


# --- the proof ------------------------------------------------------------------------------------------------
def proof_html(slug: str, kept: Mapping[str, Any] | None, is_old: bool, ago: str) -> str:
    command = f"glasshull lesson verify {escape(slug)}"
    if kept is None:
        return f'<h2>Proof</h2><p class="none">Not proven yet. With a cluster running: <code>{command}</code></p>'
    rubric, tier = escape(str(kept.get("rubric", ""))[:4]), escape(str(kept.get("tier", "")))
    old = '<span class="warn">the exercise has changed since</span>' if is_old else ""
    rows = "".join(_proof_row(proof) for proof in kept["proofs"])
    head = (
        f"<h2>Proof</h2><code>{command}</code><span>{escape(ago)}, rubric {rubric}, tier {tier}</span>{old}"
    )
    notes = _next(kept["proofs"])
    return f'<div class="head">{head}</div><ul>{rows}</ul><p class="next">{notes}</p>'


def _proof_row(proof: Mapping[str, Any]) -> str:
    kind, word = _STATES[proof.get("ok")]
    notes = "".join(f"<small>{escape(str(note))}</small>" for note in proof.get("notes", ())[:3])
    return (
        f'<li class="{kind}"><i aria-label="{word}"></i><b>{escape(str(proof["code"]))}</b>'
        f"<span>{escape(str(proof['title']))}{notes}</span><em>{escape(str(proof['text']))}</em></li>"
    )


def _next(proofs: Sequence[Mapping[str, Any]]) -> str:
    failed = [proof for proof in proofs if proof.get("ok") is False]
    if not failed:
        return "P01 to P09 must be green before a lesson is published."
    first = next((str(note) for note in failed[0].get("notes", ())), str(failed[0]["text"]))
    return f"Next: {escape(str(failed[0]['code']))}, {escape(first)}"


# --- the lesson's own page ------------------------------------------------------------------------------------
def lesson_html(
    lesson: Lesson,
    steps: Sequence[RenderedStep],
    data: Mapping[str, Any],
    *,
    styles: Sequence[str],
    script: str,
    nonce: str,
) -> str:
    """As platform/classroom/templates/courseware/lesson.html has it: the same places, so that the islands wake."""
    module = (
        f'<script type="module" nonce="{escape(nonce)}" src="{escape(script)}"></script>' if script else ""
    )
    many = "step" if len(steps) == 1 else "steps"
    return _template("lesson.html").substitute(
        title=escape(lesson.title),
        number=escape(str(data["lesson"]["n"])),
        count=f"{len(steps)} {many}",
        minutes=lesson.minutes,
        steps="".join(step.html for step in steps),
        styles=_links(styles),
        script=module,
        data=_in_script(data),
        nonce=escape(nonce),
    )


def plain_html(sentence: str, styles: Sequence[str]) -> str:
    """Instead of the lesson, while it cannot be drawn."""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Preview</title>{_links(styles)}'
        f'<body class="page"><main id="main" class="plain"><h1>The page cannot be drawn yet</h1>'
        f"<p>{escape(sentence)}</p></main></body></html>"
    )


def _links(styles: Sequence[str]) -> str:
    return "".join(f'<link rel="stylesheet" href="{escape(each)}">' for each in styles)


def _in_script(data: Mapping[str, Any]) -> str:
    """JSON that cannot end its script element."""
    text = json.dumps(data, default=str)
    return text.replace("<", "\\u003C").replace(">", "\\u003E").replace("&", "\\u0026")
