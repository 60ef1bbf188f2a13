"""lesson.md: front matter, steps and blocks. Every mistake in the text is found here, with its line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from markdown_it.token import Token

from lessons.cel_codes import code_of
from lessons.course_loading import GATES
from lessons.directives import ROLES, Directive, Found, Place
from lessons.markdown import inline_lines, parse, plain_text, raw_html
from lessons.models import PageText, Step
from lessons.problems import Problem, with_suggestion
from lessons.reading import is_id
from lessons.text_files import read_text
from sandbox.record.cel import CelError, Names, compile_predicate

_FENCE = re.compile(r"---[ \t]*\Z")
_NOT_ID = re.compile(r"[^a-z0-9]+")
_INTERPOLATED = re.compile(r"\$\{([^}\n]*)\}")


@dataclass
class StepDraft:
    """A step while its page is read. `directives` in order, `tokens` all of it but the heading."""

    id: str
    title: str
    place: Place
    tokens: list[Token] = field(default_factory=list)
    directives: list[Directive] = field(default_factory=list)
    settings: Directive | None = None


@dataclass
class Page:
    """One Markdown file of a lesson. `env` is the parser's, needed again for rendering."""

    text: PageText
    env: dict[str, Any]
    lead: list[Token]
    steps: list[StepDraft]
    footnotes: list[Token]

    @property
    def directives(self) -> list[Directive]:
        return [directive for step in self.steps for directive in step.directives]


Note = Callable[[Place, str, str, str], None]


def split_front_matter(text: str) -> tuple[str | None, str, int]:
    """(front matter or None, the rest, line number of the rest). The front matter begins on line 2."""
    lines = text.split("\n")
    if not lines or not _FENCE.match(lines[0]):
        return None, text, 1
    for index in range(1, len(lines)):
        if _FENCE.match(lines[index]):
            return "\n".join(lines[1:index]), "\n".join(lines[index + 1 :]), index + 2
    return None, text, 1


def page_files(folder: Path) -> list[Path]:
    """lesson.md, then steps/NN-id.md in order; translations (steps/NN-id.de.md) left out."""
    return [
        folder / "lesson.md",
        *sorted(path for path in (folder / "steps").glob("*.md") if "." not in path.stem),
    ]


def read_page(path: Path, shown_as: str) -> PageText:
    """Without its front matter. Raises LessonInvalid."""
    _, text, first_line = split_front_matter(read_text(path, shown_as))
    return PageText(shown_as, text, first_line)


def parse_page(page: PageText, problems: list[Problem]) -> Page:
    """Steps and blocks of a page; problems of blocks (L012, L013, L014) are appended."""
    tokens, env = parse(page.text, page.first_line)
    problems.extend(_problem(page.file, found) for found in env["found"])
    footnotes = [token for token in tokens if token.type == "footnote_block_open"]
    cut = tokens.index(footnotes[0]) if footnotes else len(tokens)
    lead, steps = _split_steps(tokens[:cut], page.first_line)
    parsed = Page(page, env, lead, steps, tokens[cut:])
    _name_steps(parsed, problems)
    return parsed


def _problem(file: str, found: Found) -> Problem:
    return Problem(file, found.place.line, found.place.column, found.code, found.message, found.help)


def _split_steps(tokens: list[Token], first_line: int) -> tuple[list[Token], list[StepDraft]]:
    lead: list[Token] = []
    steps: list[StepDraft] = []
    index = 0
    while index < len(tokens):
        token = tokens[index]
        if token.type == "heading_open" and token.tag == "h2" and token.level == 0:
            title = plain_text(tokens[index + 1 : index + 2]).strip()
            line = first_line + (token.map[0] if token.map else 0)
            steps.append(StepDraft(_slug(title), title, Place(line, 1)))
            index += 3
            continue
        if not steps:
            lead.append(token)
        else:
            steps[-1].tokens.append(token)
            if token.type == "directive_open":
                steps[-1].directives.append(token.meta["directive"])
        index += 1
    return lead, steps


def _slug(title: str) -> str:
    slug = _NOT_ID.sub("-", title.lower()).strip("-").lstrip("0123456789-")
    return slug or "step"


def _name_steps(page: Page, problems: list[Problem]) -> None:
    """Ids by `step` blocks; L002 bad one, L013 a second block in a step."""

    def note(place: Place, code: str, message: str) -> None:
        problems.append(Problem(page.text.file, place.line, place.column, code, message))

    for step in page.steps:
        blocks = [directive for directive in step.directives if directive.name == "step"]
        for extra in blocks[1:]:
            note(extra.place, "L013", "a step has one step block")
        step.settings = blocks[0] if blocks else None
        if step.settings and step.settings.argument:
            step.id = step.settings.argument
            if not is_id(step.id):
                note(
                    step.settings.place, "L002", f'id "{step.id}": use lower-case letters, digits and dashes'
                )


def check_step_ids(pages: Sequence[Page], problems: list[Problem]) -> None:
    """L011 over all pages of the lesson."""
    seen: set[str] = set()
    for page in pages:
        for step in page.steps:
            if step.id in seen:
                message = f'step "{step.id}" appears twice'
                help_ = "name it with a step block: :::{step} other-id"
                problems.append(Problem(page.text.file, step.place.line, 1, "L011", message, help_))
            seen.add(step.id)


def steps_of(page: Page, default_gate: str, problems: list[Problem]) -> list[Step]:
    return [_step(page, draft, default_gate, problems) for draft in page.steps]


def _step(page: Page, draft: StepDraft, default_gate: str, problems: list[Problem]) -> Step:
    settings = draft.settings
    gate = settings.option("gate", default_gate) if settings else default_gate
    minutes = settings.option("minutes") if settings else ""
    if settings and gate not in GATES:
        _note_setting(page, settings, "gate", f'gate: "{gate}" is not one of {", ".join(GATES)}', problems)
        gate = default_gate
    if settings and minutes and not minutes.isdecimal():
        _note_setting(
            page, settings, "minutes", f'minutes: expected a whole number, found "{minutes}"', problems
        )
        minutes = ""
    return Step(
        id=draft.id,
        title=draft.title,
        gate=cast("Any", gate),
        needs=settings.words("needs") if settings else (),
        concepts=settings.words("concepts") if settings else (),
        minutes=int(minutes) if minutes else None,
        file=page.text.file,
        line=draft.place.line,
        words=len(plain_text(draft.tokens).split()),
    )


def _note_setting(page: Page, settings: Directive, name: str, message: str, problems: list[Problem]) -> None:
    place = settings.places[name]
    problems.append(Problem(page.text.file, place.line, place.column, "L004", message))


@dataclass
class TextChecker:
    """Links, pictures, roles, HTML and `${…}` of one page. L012, L015, L016, L017, L020, L022."""

    page: Page
    folder: Path
    glossary: Mapping[str, str]
    params: frozenset[str]
    problems: list[Problem]

    def check(self) -> None:
        tokens = [
            *self.page.lead,
            *(token for step in self.page.steps for token in step.tokens),
            *self.page.footnotes,
        ]
        for line, token in inline_lines(tokens):
            self._token(line + self.page.text.first_line, token)
        for step in self.page.steps:
            for place in _INTERPOLATED.finditer(step.title):
                self._interpolation(step.place.line, place[1].strip())
        for directive in self.page.directives:
            self._block(directive)

    def note(self, line: int, needle: str, code: str, message: str, help_: str = "") -> None:
        """`needle`: what to look for in that line, for the column."""
        lines = self.page.text.text.split("\n")
        index = line - self.page.text.first_line
        column = lines[index].find(needle) + 1 if needle and 0 <= index < len(lines) else 1
        self.problems.append(Problem(self.page.text.file, line, max(column, 1), code, message, help_))

    def _token(self, line: int, token: Token) -> None:
        if token.type == "text" and (html := raw_html(token.content)):
            self.note(
                line, html.rstrip(">"), "L015", f"raw HTML {html} is not allowed", "use Markdown or a block"
            )
        elif token.type == "link_open":
            self._link(line, str(token.attrs.get("href", "")))
        elif token.type == "image":
            self._image(line, str(token.attrs.get("src", "")), token.content)
        elif token.type == "myst_role":
            self._role(line, token.meta["name"], token.content)
        elif token.type == "interpolation":
            self._interpolation(line, token.content)
        if token.type in ("code_inline", "myst_role"):
            for place in _INTERPOLATED.finditer(token.content):
                self._interpolation(line, place[1].strip())

    def _link(self, line: int, href: str) -> None:
        if not link_is_allowed(href):
            shown = href if len(href) <= 60 else f"{href[:57]}…"
            self.note(line, "](", "L015", f"link {shown} is not allowed", "links are https: or relative")

    def _image(self, line: int, src: str, alt: str) -> None:
        self.asset(Place(line, 1), src)
        if not alt.strip():
            self.note(
                line,
                "![",
                "L017",
                "picture without a text",
                "say in words what it shows: ![words](media/file.svg)",
            )

    def asset(self, place: Place, src: str) -> None:
        trouble = asset_error(src, self.folder)
        if trouble:
            needle = "![" if place.column == 1 else ""
            self.note(place.line, needle, "L016", trouble, "put the file into the lesson's media folder")

    def _role(self, line: int, name: str, content: str) -> None:
        if name not in ROLES:
            message = with_suggestion(f'unknown role "{name}"', name, ROLES)
            self.note(line, f"{{{name}}}", "L012", message, f"known: {', '.join(ROLES)}")
        elif name == "term" and find_term(content, self.glossary) is None:
            message = with_suggestion(f'term "{content}" is not in glossary.yaml', content, self.glossary)
            self.note(line, f"{{{name}}}`{content}", "L020", message)
        elif name == "val":
            self._interpolation(line, content)

    def _interpolation(self, line: int, name: str) -> None:
        try:
            predicate = compile_predicate(name, names=Names(params=self.params), want="any")
        except CelError as error:
            self.note(line, name, code_of(error.message), f"${{{name}}}: {error.message}")
            return
        if predicate.kinds:
            message = f'"{name}" reads what changes; a text is written once'
            self.note(line, name, "L023", message, "use params.NAME or sandbox.namespace")

    def _block(self, directive: Directive) -> None:
        if directive.name == "when" and directive.argument:
            self._interpolation(directive.place.line, directive.argument)
        if directive.kind.body == "raw":
            for offset, text in enumerate(directive.body.split("\n")):
                for match in _INTERPOLATED.finditer(text):
                    self._interpolation(directive.body_line + offset, match[1].strip())
        if directive.name == "figure":
            self.asset(directive.place, directive.argument)
            if not directive.option("alt"):
                place = directive.place
                text = "figure needs :alt:"
                self.problems.append(Problem(self.page.text.file, place.line, place.column, "L017", text))


def link_is_allowed(href: str) -> bool:
    """https: with a host, an anchor, or a relative path; control characters and backslashes never."""
    if any(ord(char) < 33 or char == "\\" for char in unquote(href)):
        return False
    try:
        parts = urlsplit(href)
    except ValueError:
        return False
    if parts.scheme:
        return parts.scheme == "https" and bool(parts.netloc)
    return not parts.netloc and not href.startswith("//") and ":" not in parts.path.split("/")[0]


def asset_error(src: str, folder: Path) -> str:
    """Why a picture cannot be shown, or an empty string."""
    name = unquote(src)
    if urlsplit(src).scheme or src.startswith("//"):
        return f"images must be local: {src}"
    path = (folder / name).resolve()
    if not path.is_relative_to((folder / "media").resolve()):
        return f"images lie in media/: {src}"
    if path.suffix not in (".svg", ".png", ".webp"):
        return f"images are svg, png or webp: {src}"
    return "" if path.is_file() else f"no such picture: {src}"


def find_term(word: str, glossary: Mapping[str, str]) -> str | None:
    """The glossary's spelling of a word as it stands in a text: case and a plural s do not matter."""
    folded = {term.casefold(): term for term in glossary}
    lowered = word.casefold()
    return folded.get(lowered) or folded.get(lowered.removesuffix("s"))
