"""A lesson's text as HTML for one student's values: rendered by steps, sanitised, kept by content and values.

Two walls against hostile text: the parser knows no HTML, and an allow-list (nh3) goes over the result.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import nh3
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from lessons.directives import Directive
from lessons.islands import PageContext, attributes, block_html, role_html
from lessons.manifests_loading import ANY_PLACE
from lessons.markdown import parse, parser
from lessons.models import Lesson, Step
from lessons.page_loading import StepDraft, find_term, link_is_allowed, parse_page
from sandbox.record.cel import CelError, interpolate

SANDBOX_IN_WORDS = {"namespace": "your namespace", "tier": "namespace"}
MOST_KEPT = 64  # pages of about 20 kB

TAGS = frozenset(
    [
        "a",
        "aside",
        "blockquote",
        "br",
        "button",
        "code",
        "dd",
        "del",
        "details",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
        "figcaption",
        "figure",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "img",
        "input",
        "kbd",
        "li",
        "ol",
        "p",
        "pre",
        "s",
        "section",
        "span",
        "strong",
        "summary",
        "sup",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "ul",
    ]
)
ATTRIBUTES: dict[str, set[str]] = {
    "*": {"class", "id", "role", "aria-describedby", "aria-label", "hidden"},
    "a": {"href", "title"},
    "button": {"type"},
    "img": {"src", "alt", "title"},
    "input": {"type", "checked", "disabled"},
    "ol": {"start"},
    "th": {"align"},
    "td": {"align"},
}


@dataclass(frozen=True, slots=True)
class RenderedStep:
    """`html` is the whole `<section class="step" …>`, sanitised. `needs`: check or prediction ids."""

    id: str
    title: str
    html: str
    gate: str
    needs: tuple[str, ...]
    minutes: int | None


_kept: OrderedDict[tuple[str, ...], list[RenderedStep]] = OrderedDict()
_lock = threading.Lock()


def render_lesson(lesson: Lesson, params: Mapping[str, Any], *, media: str = "media/") -> list[RenderedStep]:
    """All steps for a student with these values. `media`: where pictures are served, with a slash.

    A value the text asks for and `params` lacks is shown by its name. Never raises for what an author wrote.
    """
    words = json.dumps([dict(params), dict(lesson.glossary)], sort_keys=True, default=str)
    key = (str(lesson.path), lesson.content_hash, words, media)
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return list(_kept[key])
    steps = _render(lesson, params, media)
    with _lock:
        _kept[key] = steps
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    return list(steps)


def render_text(text: str, params: Mapping[str, Any] | None = None) -> str:
    """A piece of Markdown alone (a hint, a task), sanitised. Blocks have no place in it and are left out."""
    tokens, env = parse(text)
    env["context"] = _context({}, {}, params or {}, "media/")
    kept = [token for token in tokens if not token.type.startswith("directive_")]
    return sanitise(str(parser().renderer.render(kept, parser().options, env)))


def sanitise(html: str) -> str:
    """The allow-list. Links get `rel="noopener nofollow"`; pictures only relative; no style, no script."""
    return nh3.clean(
        html,
        tags=set(TAGS),
        attributes=ATTRIBUTES,
        generic_attribute_prefixes={"data-"},
        url_schemes={"https"},
        link_rel="noopener nofollow",
        attribute_filter=_filter,
        strip_comments=True,
    )


def _filter(tag: str, attribute: str, value: str) -> str | None:
    if attribute == "href" and not link_is_allowed(value):
        return None
    if attribute == "src" and (":" in value or value.startswith("//") or "\\" in value):
        return None
    if tag == "input" and attribute == "type" and value != "checkbox":
        return None
    if tag == "button" and attribute == "type":
        return "button"
    return value


def _render(lesson: Lesson, params: Mapping[str, Any], media: str) -> list[RenderedStep]:
    context = _context(lesson.exercises, lesson.glossary, params, media)
    context.files = {name: text for each in lesson.exercises.values() for name, text in each.files.items()}
    by_id = {step.id: step for step in lesson.steps}
    rendered: list[RenderedStep] = []
    for page in lesson.pages:
        parsed = parse_page(page, [])
        parsed.env["context"] = context
        for index, draft in enumerate(parsed.steps):
            tokens = [*(parsed.lead if index == 0 else []), *draft.tokens]
            if index == len(parsed.steps) - 1:
                tokens += parsed.footnotes
            kept = _prepared(tokens, context)
            rendered.append(_render_step(by_id[draft.id], draft, kept, parsed.env))
    return rendered


def _prepared(tokens: list[Token], context: PageContext) -> list[Token]:
    """Without the bodies of `when` blocks that do not hold; claims of one paragraph lose its tags."""
    kept: list[Token] = []
    skipping = 0
    for index, token in enumerate(tokens):
        directive = token.meta.get("directive") if token.type.startswith("directive_") else None
        if directive and directive.name == "when" and (skipping or not _holds(directive.argument, context)):
            skipping += token.nesting
            continue
        if skipping:
            continue
        if directive and directive.name == "claim" and token.nesting == 1:
            _unwrap(directive, tokens[index + 1 : index + 5])
        kept.append(token)
    return kept


def _holds(condition: str, context: PageContext) -> bool:
    return value_text(condition, context.params) == "true"


def _unwrap(directive: Directive, following: list[Token]) -> None:
    kinds = [token.type for token in following]
    directive.is_one_paragraph = kinds == ["paragraph_open", "inline", "paragraph_close", "directive_close"]
    if directive.is_one_paragraph:
        following[0].hidden = following[2].hidden = True


def _render_step(step: Step, draft: StepDraft, tokens: list[Token], env: dict[str, Any]) -> RenderedStep:
    context: PageContext = env["context"]
    title = context.interpolate(draft.title)
    body = parser().renderer.render(tokens, parser().options, env)
    opening = attributes(
        id=f"step-{step.id}",
        data_step=step.id,
        data_gate=step.gate,
        data_needs=" ".join(step.needs),
        data_minutes=str(step.minutes) if step.minutes else "",
    )
    html = f'<section class="step"{opening}>\n<h2>{escape(title)}</h2>\n{body}</section>\n'
    return RenderedStep(step.id, title, sanitise(html), step.gate, step.needs, step.minutes)


def _context(
    exercises: Any, glossary: Mapping[str, str], params: Mapping[str, Any], media: str
) -> PageContext:
    def interpolate(text: str) -> str:
        return interpolated(text, params)

    def inline(text: str) -> str:
        env: dict[str, Any] = {"context": context}
        return str(parser().renderer.render(parser().parseInline(text.strip(), env), parser().options, env))

    context = PageContext(exercises, glossary, interpolate, inline, params, media)
    return context


def interpolated(text: str, params: Mapping[str, Any]) -> str:
    """`${params.x}` as text; what is unknown stays as its name."""
    return ANY_PLACE.sub(lambda match: value_text(match[1].strip(), params), text)


def value_text(name: str, params: Mapping[str, Any]) -> str:
    """What `${name}` shows. A page is rendered before its sandbox exists, so that is named in words."""
    if name.startswith("params.") and name.removeprefix("params.") in params:
        return str(params[name.removeprefix("params.")])
    try:
        return interpolate(f"${{{name}}}", {"params": dict(params), "sandbox": SANDBOX_IN_WORDS})
    except (CelError, KeyError):
        return name


# --- renderer rules ------------------------------------------------------------------------------------
Tokens = Sequence[Token]


def _directive_open(renderer: RendererHTML, tokens: Tokens, index: int, options: Any, env: Any) -> str:
    return block_html(tokens[index].meta["directive"], env["context"])[0]


def _directive_close(renderer: RendererHTML, tokens: Tokens, index: int, options: Any, env: Any) -> str:
    return block_html(tokens[index].meta["directive"], env["context"])[1]


def _interpolation(renderer: RendererHTML, tokens: Tokens, index: int, options: Any, env: Any) -> str:
    name = tokens[index].content
    return role_html("val", name, env["context"], None, value_text(name, env["context"].params))


def _role(renderer: RendererHTML, tokens: Tokens, index: int, options: Any, env: Any) -> str:
    token, context = tokens[index], env["context"]
    term = find_term(token.content, context.glossary)
    value = value_text(token.content, context.params)
    return role_html(
        token.meta["name"], token.content, context, context.glossary.get(term) if term else None, value
    )


def _code_inline(renderer: RendererHTML, tokens: Tokens, index: int, options: Any, env: Any) -> str:
    return f"<code>{escape(env['context'].interpolate(tokens[index].content), quote=False)}</code>"


def _image(renderer: RendererHTML, tokens: Tokens, index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    src = env["context"].media + str(token.attrs.get("src", "")).removeprefix("media/")
    return f"<img{attributes(src=src, alt=token.content)}>"


for _name, _rule in {
    "directive_open": _directive_open,
    "directive_close": _directive_close,
    "interpolation": _interpolation,
    "myst_role": _role,
    "code_inline": _code_inline,
    "image": _image,
}.items():
    parser().add_render_rule(_name, _rule)
