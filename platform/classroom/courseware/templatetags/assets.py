"""`{% island_assets %}`: the front end's built files, or nothing while they are not built (pages read without)."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()
ENTRY = "src/main.ts"
_lock = threading.Lock()
_read: dict[str, tuple[int, dict[str, Any]]] = {}


@register.simple_tag(takes_context=True)
def island_assets(context: template.Context) -> SafeString:
    """Styles first, so that nothing flashes; the module itself carries the page's nonce."""
    manifest = read_manifest(settings.VITE_MANIFEST)
    if ENTRY not in manifest:
        return SafeString("")
    nonce = getattr(context.get("request"), "csp_nonce", "")
    styles = format_html_join(
        "", '<link rel="stylesheet" href="{}">', ((_url(name),) for name in styles_of(manifest))
    )
    preloads = format_html_join(
        "", '<link rel="modulepreload" href="{}">', ((_url(name),) for name in imports_of(manifest))
    )
    script = format_html(
        '<script type="module" nonce="{}" src="{}"></script>', nonce, _url(manifest[ENTRY]["file"])
    )
    return styles + preloads + script


def read_manifest(path: Path) -> dict[str, Any]:
    """Vite's manifest, read again when the file changes; empty when there is none yet."""
    try:
        stamp = path.stat().st_mtime_ns
    except OSError:
        return {}
    with _lock:
        known = _read.get(str(path))
        if known is None or known[0] != stamp:
            known = (stamp, json.loads(path.read_text()))
            _read[str(path)] = known
        return known[1]


def styles_of(manifest: dict[str, Any]) -> list[str]:
    """Style sheets of the entry and of what it imports at once, each only once."""
    names = [name for key in [*_imported(manifest), ENTRY] for name in manifest[key].get("css", [])]
    return list(dict.fromkeys(names))


def imports_of(manifest: dict[str, Any]) -> list[str]:
    return [manifest[key]["file"] for key in _imported(manifest)]


def _imported(manifest: dict[str, Any]) -> list[str]:
    seen: list[str] = []
    waiting = list(manifest[ENTRY].get("imports", []))
    while waiting:
        key = waiting.pop(0)
        if key in manifest and key not in seen:
            seen.append(key)
            waiting += manifest[key].get("imports", [])
    return seen


def _url(name: str) -> str:
    return static(f"dist/{name}")
