"""Traces: which calls belong to one click. W3C `traceparent`, B3 in one header (`b3`) or in several (`X-B3-…`)."""

import _thread
import posix
import time

from chandlery.identity import pod_name, variable
from chandlery.text import to_json
from chandlery.upstream import Remote, Unreached

_HEX = frozenset("0123456789abcdef")
MOST_WAITING = 200  # spans; a collector that is away costs no memory
EVERY = 1.0  # seconds between two batches


class Trace:
    """One request's place in its trace: ids as hexadecimal text, `parent` empty at the beginning of a trace."""

    def __init__(self, trace: str, parent: str, *, sampled: bool, passes_on: bool) -> None:
        self.trace = trace
        self.parent = parent
        self.span = new_id(8)
        self.sampled = sampled
        self._passes_on = passes_on

    def outgoing(self) -> dict[str, str]:
        """Headers for a call made on behalf of this request, in all three spellings; none with TRACE=off."""
        if not self._passes_on:
            return {}
        flag = "1" if self.sampled else "0"
        return {
            "traceparent": f"00-{self.trace}-{self.span}-0{flag}",
            "b3": f"{self.trace}-{self.span}-{flag}",
            "X-B3-TraceId": self.trace,
            "X-B3-SpanId": self.span,
            "X-B3-Sampled": flag,
        }


class Tracing:
    """Reads, begins and reports traces of one app. Reporting never makes a request wait."""

    def __init__(self, app: str) -> None:
        self._app = app
        self._passes_on = variable("TRACE") != "off"
        self._collector = variable("TRACE_URL")
        self._lock = _thread.allocate_lock()
        self._spans: list[dict[str, object]] = []

    def begin(self, headers: dict[str, str]) -> Trace:
        """The trace that the caller's headers name, else a new one."""
        trace, parent, sampled = read_headers(headers) or (new_id(16), "", True)
        return Trace(trace, parent, sampled=sampled, passes_on=self._passes_on)

    def report(self, trace: Trace, route: str, method: str, status: int, seconds: float) -> None:
        if not self._collector or not trace.sampled:
            return
        span: dict[str, object] = {
            "traceId": trace.trace, "id": trace.span, "kind": "SERVER", "name": f"{method.lower()} {route}",
            "timestamp": int((time.time() - seconds) * 1e6), "duration": max(1, int(seconds * 1e6)),
            "localEndpoint": {"serviceName": self._app},
            "tags": {"http.status_code": str(status), "pod": pod_name()},
        }  # fmt: skip
        if trace.parent:
            span["parentId"] = trace.parent
        with self._lock:
            if len(self._spans) < MOST_WAITING:
                self._spans.append(span)

    def start(self) -> None:
        """Send what was reported, in batches. Raises ValueError when TRACE_URL is no address."""
        if self._collector:
            _thread.start_new_thread(self._send_on, (Remote(self._collector),))

    def _send_on(self, collector: Remote) -> None:
        while True:
            time.sleep(EVERY)
            with self._lock:
                spans, self._spans = self._spans, []
            if spans:
                try:
                    collector.ask(None, "POST", "/api/v2/spans", to_json(spans))
                except Unreached:
                    pass  # spans are worth less than the shop


def read_headers(headers: dict[str, str]) -> tuple[str, str, bool] | None:
    """(trace id, the caller's span id, sampled), W3C first; None where no valid one is there."""
    w3c = headers.get("traceparent", "").split("-")
    if len(w3c) >= 4 and len(w3c[0]) == 2 and len(w3c[0] + w3c[3]) == 4 and _are_ids(w3c[1], w3c[2], (32,)):
        return w3c[1], w3c[2], w3c[3][-1] in "13579bdf"
    single = headers.get("b3", "").split("-")
    if len(single) >= 2 and _are_ids(single[0], single[1], (16, 32)):
        return single[0], single[1], single[2:3] != ["0"]
    trace, span = headers.get("x-b3-traceid", ""), headers.get("x-b3-spanid", "")
    if _are_ids(trace, span, (16, 32)):
        return trace, span, headers.get("x-b3-sampled", "1") not in ("0", "false")
    return None


def new_id(size: int) -> str:
    return posix.urandom(size).hex()


def _are_ids(trace: str, span: str, lengths: tuple[int, ...]) -> bool:
    """Lower-case hexadecimal, of the right length, and not all zeros: those mean "none"."""
    return (
        len(trace) in lengths
        and len(span) == 16
        and _HEX.issuperset(trace + span)
        and bool(trace.strip("0") and span.strip("0"))
    )
