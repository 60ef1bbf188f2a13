"""The HTML of each block: islands for the browser, always with a readable fallback inside.

What the browser mounts: docs/architecture.md, "Directives in the page". Every function returns what comes
before and after the block's own text; all text is escaped here, the sanitiser runs over the whole afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

from lessons.directives import Directive
from lessons.shown_order import plain_choices
from sandbox.record.exercise import Exercise, Prediction

HtmlPair = tuple[str, str]


@dataclass
class PageContext:
    """What rendering knows: the exercise(s), the student's values, words. `interpolate` gives plain text."""

    exercises: Mapping[str, Exercise]
    glossary: Mapping[str, str]
    interpolate: Callable[[str], str]
    inline: Callable[[str], str]  # Markdown of one paragraph, rendered without <p>
    params: Mapping[str, Any]
    media: str = "media/"
    tips: int = 0
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def exercise(self) -> Exercise | None:
        return next(iter(self.exercises.values()), None)


def attributes(**values: str | None) -> str:
    """` data-a="…"`; None leaves an attribute out; `_` in a name becomes a dash."""
    return "".join(
        f' {name.replace("_", "-")}="{escape(value, quote=True)}"'
        for name, value in values.items()
        if value is not None
    )


def island(name: str, fallback: str, **data: str | None) -> HtmlPair:
    named = {f"data_{key.rstrip('_')}": value for key, value in data.items()}
    return f'<div data-island="{name}"{attributes(**named)}>{fallback}', "</div>\n"


def block_html(directive: Directive, context: PageContext) -> HtmlPair:
    """(before, after) of any block of the format."""
    return _BLOCKS[directive.name](directive, context)


def _step(directive: Directive, context: PageContext) -> HtmlPair:
    return "", ""  # its settings are attributes of the section


def _scene(directive: Directive, context: PageContext) -> HtmlPair:
    names = (
        "focus",
        "highlight",
        "layout",
        "toggle",
        "series",
        "at",
        "play",
        "pace",
        "until",
        "allow",
        "say",
    )
    data = {f"data_{name}": directive.option(name) or None for name in names}
    notes = [context.interpolate(note) for note in directive.options.get("annotate", [])]
    data["data_annotate"] = json.dumps(notes, ensure_ascii=False) if notes else None
    return f'<div class="scene"{attributes(data_scene=directive.argument, **data)} hidden>', "</div>\n"


def _command(directive: Directive, context: PageContext) -> HtmlPair:
    code = escape(context.interpolate(directive.body.rstrip("\n")), quote=False)
    where = directive.option("in", "toolbox") if directive.name == "run" else None
    data = {"in_": where, "auto": "true" if "auto" in directive.options else None}
    return island(directive.name, f"<pre><code>{code}\n</code></pre>", **data)


def _edit(directive: Directive, context: PageContext) -> HtmlPair:
    file, path, value = (
        directive.argument,
        directive.option("path") or None,
        directive.option("value") or None,
    )
    where = f", at <code>{escape(path)}</code>" if path else ""
    return island(
        "edit", f"<p>Open <code>{escape(file)}</code>{where}.</p>", file=file, path=path, value=value
    )


def _file(directive: Directive, context: PageContext) -> HtmlPair:
    text = context.interpolate(context.files.get(directive.argument, ""))
    first, _, last = directive.option("lines").partition("-")
    if first.isdecimal():
        end = int(last) if last.isdecimal() else int(first)
        text = "\n".join(text.split("\n")[int(first) - 1 : end])
    data = attributes(data_file=directive.argument, data_mark=directive.option("mark") or None)
    caption = f"<figcaption>{escape(directive.argument)}</figcaption>"
    return (
        f'<figure class="file"{data}>{caption}<pre><code>{escape(text, quote=False)}</code></pre></figure>\n',
        "",
    )


def _asked(directive: Directive, context: PageContext) -> HtmlPair:
    found = _find(context, directive.argument)
    said = f"<p>{context.inline(found.ask)}</p>" if found else ""
    for texts in (list(found.given.values()), plain_choices(found)) if found else ():
        items = "".join(f"<li>{context.inline(text)}</li>" for text in texts)
        said += f"<ul>{items}</ul>" if items else ""
    return island(directive.name, said, id=directive.argument)


def _find(context: PageContext, asked_id: str) -> Prediction | None:
    for exercise in context.exercises.values():
        for asked in (*exercise.predictions, *exercise.questions):
            if asked.id == asked_id:
                return asked
    return None


def _exercise(directive: Directive, context: PageContext) -> HtmlPair:
    exercise = context.exercises.get(directive.argument) if directive.argument else context.exercise
    if exercise is None:
        return island("exercise", "", id=directive.argument or None)
    fallback = f"<h3>{escape(context.interpolate(exercise.title))}</h3><p>{context.inline(exercise.task)}</p>"
    return island("exercise", fallback, id=exercise.id)


def _checks(directive: Directive, context: PageContext) -> HtmlPair:
    wanted = directive.argument.replace(",", " ").split()
    items = [
        f"<li>{context.inline(check.say)}</li>"
        for exercise in context.exercises.values()
        for check in exercise.checks
        if wanted == ["all"] or check.id in wanted
    ]
    return island("checks", f"<ul>{''.join(items)}</ul>", ids=" ".join(wanted))


def _fault(directive: Directive, context: PageContext) -> HtmlPair:
    return island("fault", f"<p>{_fault_words(directive.argument, context)}</p>", id=directive.argument)


def _fault_words(fault_id: str, context: PageContext) -> str:
    for exercise in context.exercises.values():
        for fault in exercise.faults:
            if fault.id == fault_id:
                words = fault.kind.replace("-", " ").capitalize()
                return f"{escape(words)}: <code>{escape(fault.target or fault_id)}</code>"
    return escape(fault_id)


def _compare(directive: Directive, context: PageContext) -> HtmlPair:
    start, _, end = (part.strip() for part in directive.argument.partition(".."))
    of = directive.option("of") or None
    fallback = f"<p>Compare {escape(start)} with {escape(end)}.</p>"
    return island("compare", fallback, from_=start, to=end, of=of)


def _chart(directive: Directive, context: PageContext) -> HtmlPair:
    data = {name: directive.option(name) or None for name in ("until", "mark")}
    fallback = f"<p>Chart of {escape(directive.argument)}.</p>"
    return island(
        "chart", fallback, series=directive.argument, from_=directive.option("from") or None, **data
    )


def _claim(directive: Directive, context: PageContext) -> HtmlPair:
    """One paragraph is the sentence itself; several are kept together by a box."""
    tag = "p" if directive.is_one_paragraph else "div"
    return f'<{tag} class="claim"{attributes(data_claim=directive.argument)}>', f"</{tag}>\n"


def _boxed(directive: Directive, context: PageContext) -> HtmlPair:
    title = f'<p class="title">{context.inline(directive.argument)}</p>' if directive.argument else ""
    data = attributes(data_id=directive.option("id") or None)
    return f'<aside class="{directive.name}"{data}>{title}', "</aside>\n"


def _details(directive: Directive, context: PageContext) -> HtmlPair:
    return f'<details class="details"><summary>{context.inline(directive.argument)}</summary>', "</details>\n"


def _figure(directive: Directive, context: PageContext) -> HtmlPair:
    src = context.media + directive.argument.removeprefix("media/")
    caption = directive.option("caption")
    below = f"<figcaption>{context.inline(caption)}</figcaption>" if caption else ""
    image = f"<img{attributes(src=src, alt=directive.option('alt'))}>"
    return f'<figure class="figure">{image}{below}', "</figure>\n"


def _term(directive: Directive, context: PageContext) -> HtmlPair:
    return (
        f'<div class="definition"><p class="title"><dfn>{context.inline(directive.argument)}</dfn></p>',
        "</div>\n",
    )


def _titled(directive: Directive, context: PageContext) -> HtmlPair:
    """Tabs are shown one below the other, each under its title, until the browser makes tabs of them."""
    title = f'<p class="title">{context.inline(directive.argument)}</p>' if directive.argument else ""
    return f'<div class="{directive.name}">{title}', "</div>\n"


def _when(directive: Directive, context: PageContext) -> HtmlPair:
    return "", ""  # a body whose condition does not hold was taken out before


def _reflect(directive: Directive, context: PageContext) -> HtmlPair:
    data = attributes(data_id=directive.argument, data_min=directive.option("min") or None)
    return f'<div class="reflect"{data}>', "</div>\n"


_BLOCKS: dict[str, Callable[[Directive, PageContext], HtmlPair]] = {
    "step": _step,
    "scene": _scene,
    "run": _command,
    "copy": _command,
    "edit": _edit,
    "file": _file,
    "predict": _asked,
    "question": _asked,
    "exercise": _exercise,
    "checks": _checks,
    "fault": _fault,
    "compare": _compare,
    "chart": _chart,
    "claim": _claim,
    "when": _when,
    "note": _boxed,
    "warning": _boxed,
    "misconception": _boxed,
    "term": _term,
    "tabs": _titled,
    "tab": _titled,
    "details": _details,
    "figure": _figure,
    "twin": _titled,
    "reflect": _reflect,
}


def role_html(name: str, content: str, context: PageContext, sentence: str | None, value: Any = None) -> str:
    """An inline role. `sentence` is the glossary's for `term`; `value` the shown text for `val`."""
    text = escape(context.interpolate(content), quote=True)
    if name == "term":
        return _term_html(text, sentence, context)
    if name == "cmd":
        return f'<button type="button" class="cmd" data-cmd="{text}">{text}</button>'
    if name == "obj":
        return f'<span class="obj" data-obj="{text}">{text}</span>'
    if name == "key":
        return " ".join(f"<kbd>{escape(key)}</kbd>" for key in content.split())
    if name == "val":
        return f'<span class="val" data-val="{escape(content, quote=True)}">{escape(str(value))}</span>'
    return f"<code>{text}</code>"


def _term_html(text: str, sentence: str | None, context: PageContext) -> str:
    """A button that says what the word means; a word without a sentence stays a word."""
    if not sentence:
        return text
    context.tips += 1
    tip = f"tip-{context.tips}"
    button = f'<button type="button" class="term" data-term="{text}" aria-describedby="{tip}">{text}</button>'
    return f'{button}<span role="tooltip" id="{tip}">{escape(sentence, quote=False)}</span>'
