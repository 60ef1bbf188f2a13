"""The page of the real lesson: what the browser mounts, and what a reader without it gets."""

# ruff: noqa: E501, ISC004  (HTML is long)

from __future__ import annotations

import json
import re
from html import unescape

import pytest

from lessons.rendering import render_lesson, render_text


@pytest.fixture(scope="module")
def pages(lesson):
    return {step.id: step.html for step in render_lesson(lesson, {"replicas": 4})}


@pytest.fixture
def page(bench):
    """HTML of the first step of a lesson whose text (after front matter) is given."""

    def render(text: str, params=None) -> str:
        path = bench.file("lesson.md")
        front = path.read_text().split("---\n")[1]
        path.write_text(f"---\n{front}---\n## Step\n{text}\n")
        from lessons.loading import read_lesson

        draft = read_lesson(bench.lesson_path, bench.course())
        assert draft.lesson is not None
        return render_lesson(draft.lesson, params or {"replicas": 4})[0].html

    return render


def test_steps_are_sections_with_their_settings(pages):
    assert pages["break"].startswith(
        '<section class="step" id="step-break" data-step="break" data-gate="hard" data-needs="who-returns"'
    )
    assert "<h2>Predict, then break it</h2>" in pages["break"]
    assert all(html.count("<section") == html.count("</section>") == 1 for html in pages.values())


@pytest.mark.parametrize(
    ("step", "island"),
    [
        ("alone", '<div data-island="exercise" data-id="main"><h3>'),
        ("alone", '<div data-island="run" data-in="toolbox"><pre><code>kubectl delete pod storefront\n</code></pre></div>'),
        ("wish", '<div data-island="edit" data-file="shop.yaml" data-path="spec.replicas"><p>'),
        ("wish", '<div data-island="checks" data-ids="managed enough"><ul><li>A controller owns every Pod</li>'),
        ("break", '<div data-island="predict" data-id="who-returns"><p>One Pod will be deleted.'),
        ("break", '<div data-island="fault" data-id="kill"><p>'),
        ("why", '<div data-island="compare" data-from="kill.start" data-to="kill.start+20s" data-of="pod:app=storefront">'),
        ("why", '<p class="claim" data-claim="three-again">A new Pod with a new '),
        ("why", '<aside class="misconception" data-id="pods-are-repaired"><p class="title">Was the Pod repaired? No</p>'),
        ("wish", '<details class="details"><summary>What a probe looks like</summary>'),
        ("wish", '<button type="button" class="cmd" data-cmd="kubectl apply -f shop.yaml">'),
        ("wish", '<span class="val" data-val="params.replicas">4</span>'),
        ("alone", '<button type="button" class="term" data-term="Service" aria-describedby="tip-'),
    ],
)  # fmt: skip
def test_islands_of_the_contract(pages, step, island):
    assert island in pages[step]


def test_scenes_direct_the_picture_and_show_nothing(pages):
    scene = re.search(r'<div class="scene"[^>]*>', pages["alone"])
    assert scene
    assert 'data-scene="cluster"' in scene[0]
    assert " hidden" in scene[0]
    notes = re.search(r'data-annotate="([^"]*)"', scene[0])
    assert notes
    assert json.loads(unescape(notes[1])) == ["service/storefront: the name that customers ask for"]


def test_every_tooltip_is_there_once(pages):
    html = "".join(pages.values())
    asked = re.findall(r'aria-describedby="([^"]+)"', html)
    assert asked
    assert sorted(asked) == sorted(re.findall(r'role="tooltip" id="([^"]+)"', html))
    assert len(set(asked)) == len(asked)


def test_nothing_to_be_found_out_is_in_the_page(pages):
    html = "".join(pages.values())
    for secret in ("readyPods(", "periodSeconds: 1", "must_break", "observed", "nobody-behind"):
        assert secret not in html


def test_a_page_is_rendered_once(lesson):
    first = render_lesson(lesson, {"replicas": 3})
    again = render_lesson(lesson, {"replicas": 3})
    assert first == again
    assert first[0] is again[0]
    assert render_lesson(lesson, {"replicas": 4})[0] is not first[0]


def test_unknown_values_are_shown_by_name(lesson):
    assert (
        '<span class="val" data-val="params.replicas">params.replicas</span>'
        in render_lesson(lesson, {})[1].html
    )


def test_expressions_over_values(page):
    assert ">5</span>" in page("Run ${params.replicas + 1}.")
    assert "kubectl scale --replicas=4" in page(":::{run}\nkubectl scale --replicas=${params.replicas}\n:::")
    assert "<code>n=4</code>" in page("`n=${params.replicas}`")


def test_when_keeps_or_drops_its_body(page):
    text = "::::{when} params.replicas == 4\n:::{note} Four\nYes.\n:::\n::::\n\n::::{when} params.replicas == 3\nNo.\n\n:::{when} true\nNor this.\n:::\n::::\nEnd."
    html = page(text)
    assert "Yes." in html
    assert "No." not in html
    assert "Nor this." not in html
    assert "End." in html


EVERY_BLOCK = """
:::{copy}
kubectl get <pods>
:::
:::{file} shop.yaml
:lines: 1-2
:mark: 1
:::
:::{question} q
:::
:::{chart} rps p95
:from: start
:until: submit
:::
:::{note} A title
*Words*
:::
:::{warning}
Careful.
:::
:::{term} manifest
A text file.
:::
::::{tabs}
:::{tab} One
First.
:::
:::{tab} Two
Second.
:::
::::
:::{figure} media/x.svg
:alt: a ship
:caption: A **ship**
:::
:::{twin}
More words.
:::
:::{reflect} thought
:min: 20
What now?
:::
"""


def test_every_block_of_the_format_renders(page):
    html = page(EVERY_BLOCK)
    for part in (
        '<div data-island="copy"><pre><code>kubectl get &lt;pods&gt;\n</code></pre></div>',
        '<figure class="file" data-file="shop.yaml" data-mark="1"><figcaption>shop.yaml</figcaption>'
        "<pre><code>apiVersion: apps/v1\nkind: Deployment</code></pre></figure>",
        '<div data-island="question" data-id="q">',
        '<div data-island="chart" data-series="rps p95" data-from="start" data-until="submit">',
        '<aside class="note"><p class="title">A title</p>',
        '<aside class="warning"><p>Careful.</p>',
        "<dfn>manifest</dfn>",
        '<div class="tab"><p class="title">Two</p><p>Second.</p>',
        '<figure class="figure"><img src="media/x.svg" alt="a ship"><figcaption>A <strong>ship</strong></figcaption>',
        '<div class="twin">',
        '<div class="reflect" data-id="thought" data-min="20">',
    ):
        assert part in html


def test_markdown_of_the_format(page):
    html = page(
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n- [x] done\n\nA note[^1].\n\n[^1]: Below.\n\n{key}`Ctrl C` {obj}`Pod/x`"
    )
    assert "<table>" in html
    assert 'type="checkbox"' in html
    assert "Below." in html
    assert "<kbd>Ctrl</kbd> <kbd>C</kbd>" in html
    assert '<span class="obj" data-obj="Pod/x">Pod/x</span>' in html


def test_blocks_stand_in_lists_and_lists_in_blocks(page):
    html = page("1. First\n\n   :::{note} In a list\n   - inside\n   :::\n2. Second\n")
    assert re.search(
        r'<li>\s*<p>First</p>\s*<aside class="note">.*<li>inside</li>.*</aside>\s*</li>', html, re.DOTALL
    )
    assert "Second" in html


def test_blocks_nest_by_colons(page):
    html = page(
        ":::::{details} Outer\n::::{note} Middle\n:::{warning} Inner\nDeep.\n:::\n::::\n:::::\nAfter."
    )
    assert re.search(
        r"Outer.*Middle.*Inner.*Deep\..*</aside>\s*</aside>\s*</details>\s*<p>After", html, re.DOTALL
    )


def test_code_may_speak_of_colons(page):
    assert ":::{note}" in page("```\n:::{note} x\n:::\n```")
    html = page(":::{details} d\n```\n:::\n```\n:::\nAfter.")
    assert html.index("</details>") < html.index("After.")


def test_links_are_safe_and_marked(page):
    html = page("[a](https://example.com/x) [b](#step-why) [c](../12-first-app/)")
    assert '<a href="https://example.com/x" rel="noopener nofollow">a</a>' in html
    assert 'href="#step-why"' in html
    assert 'href="../12-first-app/"' in html


def test_hints_are_markdown_without_blocks():
    assert (
        render_text("Pods of `x` are **not** ready.")
        == "<p>Pods of <code>x</code> are <strong>not</strong> ready.</p>\n"
    )
    assert render_text("a <b>c</b>") == "<p>a &lt;b&gt;c&lt;/b&gt;</p>\n"
    assert "data-island" not in render_text(":::{fault} kill\n:::")


@pytest.mark.parametrize("key", [".", ",", "/", "[", "?", "`"])
def test_any_key_may_be_named(page, key):
    fence = "``" if key == "`" else "`"
    pad = " " if key == "`" else ""
    assert f"<kbd>{key}</kbd>" in page(f"Press {{key}}{fence}{pad}{key}{pad}{fence} for on.")
