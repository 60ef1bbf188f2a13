"""Hostile lesson text: nothing in it becomes a script, a style, a frame, a form or a request elsewhere."""

# ruff: noqa: E501  (tables of attacks)

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lessons.directives import KINDS
from lessons.models import PageText
from lessons.page_loading import link_is_allowed, parse_page, steps_of
from lessons.rendering import ATTRIBUTES, TAGS, render_lesson, render_text, sanitise

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<iframe src='https://example.com'></iframe>",
    "<object data='x'></object><embed src='x'>",
    "<form action='https://example.com'><input name=a></form>",
    "<style>*{background:url(https://example.com)}</style>",
    "<p style='background:url(https://example.com)'>x</p>",
    "<link rel=stylesheet href='https://example.com/x.css'>",
    "<base href='https://example.com/'>",
    "<meta http-equiv=refresh content='0;url=https://example.com'>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<!--<img src='--><img src=x onerror=alert(1)>'-->",
    "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](vbscript:x)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](http://example.com)",
    "[x](//example.com/x)",
    "[x](\\\\example.com\\x)",
    "[x](https:example.com)",
    "<javascript:alert(1)>",
    "[x]: javascript:alert(1)\n\n[x]",
    "![x](https://example.com/pixel.png)",
    "![x](//example.com/pixel.png)",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    '![x" onerror="alert(1)](media/x.png)',
    '[x](https://example.com "title\\" onmouseover=\\"alert(1)")',
    "{term}`Pod\" onclick=\"alert(1)`",
    "{cmd}`\"><script>alert(1)</script>`",
    "{obj}`<img src=x onerror=alert(1)>`",
    "{key}`<b>`",
    "{val}`params.replicas\"><script>`",
    "{nope}`<script>`",
    '${"<script>alert(1)</script>"}',
    '${params.replicas}"><script>alert(1)</script>',
    "```<script>\nx\n```",
    '```"><script>alert(1)</script>\nx\n```',
    "`<script>alert(1)</script>`",
    ":::{run}\n</code></pre><script>alert(1)</script>\n:::",
    ':::{copy}\n"><img src=x onerror=alert(1)>\n:::',
    ':::{details} <script>alert(1)</script>\nx\n:::',
    ':::{note} "><script>alert(1)</script>\nx\n:::',
    ':::{misconception} x\n:id: "><script>\nx\n:::',
    ':::{scene} cluster\n:focus: "><script>alert(1)</script>\n:annotate: a: "><script>\n:say: \' onclick=x\n:::',
    ':::{edit} "><script>\n:path: "><script>\n:value: "><script>\n:::',
    ':::{predict} "><script>\n:::',
    ':::{figure} https://example.com/x.png\n:alt: "><script>\n:caption: <script>\n:::',
    ':::{compare} <script> .. "x\n:of: "><script>\n:::',
    ':::{"><script>}\nx\n:::',
    ':::{note} x\n:"><script>: y\nz\n:::',
    "| a |\n|---|\n| <script>alert(1)</script> |",
    "x[^1]\n\n[^1]: <script>alert(1)</script>",
    "x[^\"><script>]\n\n[^\"><script>]: y",
]  # fmt: skip
TITLE_ATTACKS = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "[x](javascript:alert(1))"]


class Auditor(HTMLParser):
    """Reads HTML as a browser would and notes whatever is not plain text of a lesson."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.bad: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in TAGS:
            self.bad.append(f"<{tag}>")
        allowed = ATTRIBUTES["*"] | ATTRIBUTES.get(tag, set())
        for name, value in attrs:
            if name not in allowed and not name.startswith("data-") and (tag, name) != ("a", "rel"):
                self.bad.append(f"{tag} {name}={value}")
            if name == "href" and not link_is_allowed(value or ""):
                self.bad.append(f"href={value}")
            if name == "src" and not re.fullmatch(r"(?!/)[^:\\]*", value or ""):
                self.bad.append(f"src={value}")

    def handle_comment(self, data):
        self.bad.append(f"<!--{data}-->")

    def handle_decl(self, decl):
        self.bad.append(f"<!{decl}>")

    def handle_pi(self, data):
        self.bad.append(f"<?{data}>")


def bad_parts(html: str) -> list[str]:
    auditor = Auditor()
    auditor.feed(html)
    auditor.close()
    return auditor.bad


def rendered(lesson, text: str, **changes) -> str:
    """The real lesson with another text: nothing of it is checked, as if the linter had let it pass."""
    page = PageText("lesson.md", text, 1)
    steps = tuple(steps_of(parse_page(page, []), "soft", []))
    one = dataclasses.replace(lesson, pages=(page,), steps=steps, content_hash=text, **changes)
    return "".join(step.html for step in render_lesson(one, {"replicas": "<script>"}))


def test_the_auditor_sees():
    assert bad_parts("<script>x</script><p onclick=x style=y><a href='javascript:x'>z</a><!-- c -->")


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_in_the_text_stays_text(lesson, attack):
    html = rendered(lesson, f"## Step\n{attack}\n")
    assert "</section>" in html
    assert bad_parts(html) == []


@pytest.mark.parametrize("attack", TITLE_ATTACKS)
def test_an_attack_in_a_title_stays_text(lesson, attack):
    html = rendered(lesson, f"## {attack}\n\n:::{{exercise}}\n:::\n")
    assert bad_parts(html) == []


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_in_an_exercise_or_the_glossary_stays_text(lesson, attack):
    (prediction,) = lesson.exercise.predictions
    hostile = msgspec.structs.replace(
        lesson.exercise,
        title=attack,
        task=attack,
        checks=tuple(msgspec.structs.replace(check, say=attack) for check in lesson.exercise.checks),
        predictions=(msgspec.structs.replace(prediction, ask=attack, choices={attack: attack, "b": attack}),),
        faults=tuple(msgspec.structs.replace(fault, target=attack) for fault in lesson.exercise.faults),
        files={"shop.yaml": attack},
    )
    text = lesson.pages[0].text + "\n:::{file} shop.yaml\n:::\n"
    html = rendered(
        lesson, text, exercises={"main": hostile}, glossary=dict.fromkeys(lesson.glossary, attack)
    )
    assert "data-island" in html
    assert bad_parts(html) == []


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_in_a_hint_stays_text(attack):
    assert bad_parts(render_text(attack, {"replicas": "<script>"})) == []


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_second_wall_stands_alone(attack):
    """What the sanitiser lets through even if the parser had let everything through."""
    assert bad_parts(sanitise(f"<p>{attack}</p>")) == []


@pytest.mark.parametrize(
    "href",
    ["https://example.com", "https://example.com/a?b#c", "#x", "../x/", "x/y.html", "/course/", "?a=b"],
)
def test_links_that_are_fine(href):
    assert link_is_allowed(href)


@pytest.mark.parametrize(
    "href",
    ["http://example.com", "javascript:x", "JAVASCRIPT:x", " javascript:x", "java\nscript:x", "%6Aavascript:x", "//e.com", "\\\\e.com",
     "/\\e.com", "https:", "https:/e.com", "https:e.com", "data:x", "mailto:a@b", "x:y", "https://[", "\x01javascript:x"],
)  # fmt: skip
def test_links_that_are_not(href):
    assert not link_is_allowed(href)


pieces = st.one_of(
    st.sampled_from(ATTACKS),
    st.sampled_from(
        [f":::{{{name}}} x\n" for name in KINDS] + [":::\n", "::::\n", ":id: x\n", "\n\n", "> ", "- ", "    "]
    ),
    st.text(max_size=12),
)


@given(st.lists(pieces, max_size=12))
@settings(max_examples=200, deadline=None)
def test_any_mixture_stays_text(lesson, parts):
    assert bad_parts(rendered(lesson, "## Step\n" + "".join(parts))) == []
