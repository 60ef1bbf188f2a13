"""Probes and loads of an exercise. Format, section 4.7."""

from __future__ import annotations

import re
from typing import Any, cast

from lessons.durations import parse_duration, parse_rate
from lessons.reading import Section
from sandbox.record.exercise import Check, Load, Probe
from sandbox.record.traffic import LONGEST_S, MOST_RATE, SCRIPTS, SERVICE, SHAPES

PROBE_KINDS = ("http", "tcp", "dns", "exec", "leader")
DNS_TYPES = ("A", "AAAA", "SRV", "TXT")
TOOLBOX_KINDS = ("http", "dns", "exec")  # what is asked from there
LOAD_BY = ("student", "timeline")
SHORTEST_EVERY = {
    "platform": 0.1,
    "toolbox": 1.0,
}  # seconds; ten a second is what one prober sends for a class
LONGEST_TIMEOUT = 30.0
MOST_OPEN = 60  # requests of one probe that may be unanswered at once; the prober holds a few more
SCRIPT_TARGET = "storefront:80"
_OK = {"http": "object.status == 200", "exec": "object.status == 0"}
_TARGETS = {  # a Service of the sandbox, never a name elsewhere
    "http": (re.compile(rf"{SERVICE.pattern}:[0-9]{{1,5}}(?:/[^\s]*)?"), "service:port/path"),
    "tcp": (re.compile(rf"{SERVICE.pattern}:[0-9]{{1,5}}"), "service:port"),
}


def read_probe(name: str, section: Section) -> Probe:
    kinds = [kind for kind in PROBE_KINDS if section.has(kind)]
    if len(kinds) != 1:
        section.note("L004", f'probe "{name}": exactly one of {", ".join(PROBE_KINDS)} is needed')
    kind = kinds[0] if kinds else "http"
    argv = section.texts("exec") if kind == "exec" else ()
    headers = section.section("headers")
    usual = "toolbox" if kind == "exec" else "platform"
    probe = Probe(
        id=name,
        kind=cast("Any", kind),
        target=" ".join(argv) if kind == "exec" else section.text(kind),
        every=section.seconds("every", 1.0),
        timeout=section.seconds("timeout", 1.0),
        ok=section.text("ok", _OK.get(kind, "object.ok")),
        method=section.text("method", "GET"),
        body=section.text("body"),
        headers={key: headers.text(key) for key in headers.values} if headers else {},
        origin=cast("Any", section.choice("from", ("platform", "toolbox"), usual)),
        argv=argv,
        type=section.choice("type", DNS_TYPES, "A") if kind == "dns" else "",
    )
    _check_probe(section, probe)
    section.finish()
    return probe


def _check_probe(section: Section, probe: Probe) -> None:
    form = _TARGETS.get(probe.kind)
    if form and probe.target and not form[0].fullmatch(probe.target):
        section.note("L021", f'probe target "{probe.target}": write {form[1]}', key=probe.kind)
    if probe.kind == "exec" and probe.origin != "toolbox":
        section.note("L004", "an exec probe runs in the toolbox; leave from: out", key="from")
    if probe.origin == "toolbox" and probe.kind not in (*TOOLBOX_KINDS, "leader"):
        section.note("L004", f"from: toolbox asks {', '.join(TOOLBOX_KINDS)}, not {probe.kind}", key="from")
    if probe.origin == "toolbox" and probe.type not in ("", "A"):
        section.note("L004", "from: toolbox asks for addresses only; leave type: out", key="type")
    shortest = SHORTEST_EVERY[probe.origin]
    if probe.every < shortest:
        where = "" if probe.origin == "platform" else " from a toolbox"
        text = f"every: {probe.every * 1000:.0f}ms is too often{where}; {shortest * 1000:.0f}ms is the least"
        section.note("L004", text, key="every")
    elif not 0 < probe.timeout <= min(LONGEST_TIMEOUT, probe.every * MOST_OPEN):
        longest = min(LONGEST_TIMEOUT, probe.every * MOST_OPEN)
        section.note("L004", f"timeout: more than 0, and at most {longest:g}s at this pace", key="timeout")


def read_load(name: str, section: Section) -> Load:
    script = section.choice("script", SCRIPTS, "browse") if section.has("script") else ""
    load = Load(
        id=name,
        target=section.text("to", SCRIPT_TARGET) if script else section.text("http"),
        rate=section.parsed("rate", parse_rate, 1.0),
        lasting=section.seconds("for", 60.0),
        script=cast("Any", script),
        shape=cast("Any", section.choice("shape", SHAPES, "steady")),
        by=section.choice("by", LOAD_BY, "student"),
        at=section.parsed("at", _parse_offset, 0.0),
        rates=_rates(section),
    )
    _check_load(section, load)
    section.finish()
    return load


def _check_load(section: Section, load: Load) -> None:
    if load.script and section.has("http"):
        section.note("L004", "http: or script:, not both; a script goes to: service:port", key="http")
    elif not load.target:
        section.note("L004", f'load "{load.id}": http: or script: is needed')
    form, example = _TARGETS["tcp" if load.script else "http"]
    if load.target and not form.fullmatch(load.target):
        help_ = "traffic goes to a Service of the student's own namespace" if "." in load.target else ""
        key = "to" if load.script else "http"
        section.note("L021", f'load target "{load.target}": write {example}', key=key, help_=help_)
    for pace in (load.rate, *load.rates):
        if not 0 < pace <= MOST_RATE:
            text = f"{pace:g}/s is not possible; more than 0 and at most {MOST_RATE:g}/s"
            section.note("L004", f"rate: {text}", key="rates" if pace in load.rates else "rate")
    if load.rates and load.rate != load.rates[0]:
        section.note("L004", f"rates: the first one must be the rate, {load.rate:g}/s", key="rates")
    if not 1 <= load.lasting <= LONGEST_S:
        section.note("L004", f"for: a load lasts 1s to {LONGEST_S:.0f}s", key="for")
    if load.at and load.by != "timeline":
        section.note("L004", "at: is for by: timeline; the student chooses the moment", key="at")


def _parse_offset(text: str) -> float:
    """Seconds of `+20s`, after the start. Raises ValueError with a sentence."""
    if not text.startswith("+"):
        raise ValueError(f'"{text}" is not a time after the start; write it like +20s')
    return parse_duration(text[1:])


def _rates(section: Section) -> tuple[float, ...]:
    found = []
    for text in section.texts("rates"):
        try:
            found.append(parse_rate(text))
        except ValueError as error:
            section.note("L004", f"rates: {error}", key="rates")
    return tuple(found)


def check_evidence(checks: tuple[Check, ...], probes: tuple[Probe, ...], places: dict[str, Section]) -> None:
    """What the student's own toolbox says may be shown and earns nothing (L028)."""
    there = [probe.id for probe in probes if probe.origin == "toolbox"]
    for check in checks:
        texts = [check.predicate, *(side.when for side in (check.first, check.then) if side)]
        each = {check.each, *(side.each for side in (check.first, check.then) if side)}
        for name in there:
            reads = re.compile(rf'probe\.{re.escape(name)}\b|probe\[["\']{re.escape(name)}["\']\]')
            if check.points and (f"probe/{name}" in each or any(map(reads.search, texts))):
                text = f'what probe "{name}" sees from the toolbox is not evidence'
                help_ = "ask from: platform, or give the check points: 0"
                if check.id in places:
                    places[check.id].note("L028", text, help_=help_)
