"""Asking another part of the shop: over the network, or inside the same process.

A module of the shop is given something with `ask` and cannot tell which of the two it is. So all differences
between the shop's two forms come from the form, never from the code of a page.
"""

import _socket
import _thread
import time

from chandlery.identity import variable
from chandlery.pages import Pages
from chandlery.server import Request
from chandlery.text import from_json

PATIENCE = 0.6  # seconds a part waits for another one; a chain of two stays below a customer's second
FALLBACK_PATIENCE = 0.15  # seconds, where an answer without the other part is prepared
REST = 2.0  # seconds a part that failed is left alone
MOST_ANSWER = 256 * 1024


class Unreached(Exception):
    """The other part did not give a usable answer. `status` and text are what our own customer is told."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Answer:
    def __init__(self, name: str, status: int, body: str) -> None:
        self.name = name
        self.status = status
        self.body = body

    def json(self) -> object:
        """Raises Unreached when the body is none."""
        try:
            return from_json(self.body)
        except ValueError as nonsense:
            raise Unreached(502, f"{self.name} answered what is no JSON: {nonsense}") from None


class Remote:
    """A part behind a name, as in `http://stock` or `http://10.0.0.7:8080`. Raises ValueError for others."""

    def __init__(self, url: str) -> None:
        scheme, _, rest = url.partition("://")
        self.name, _, port = rest.rstrip("/").partition(":")
        if scheme != "http" or not self.name or "/" in rest.rstrip("/"):
            raise ValueError(f"{url!r} is no address like http://stock or http://10.0.0.7:8080")
        self.port = int(port or "80")

    def ask(self, request: Request | None, method: str, target: str, body: str = "", patience: float = PATIENCE) -> Answer:
        """The answer, unless it is 5xx. `request` is the one being answered: its trace goes on. Raises Unreached.

        Each call makes its own connection: a Service chooses a Pod per connection, so shares stay fair.
        """
        trace = request.trace if request else None
        answer = exchange(self.name, self.port, message(self.name, method, target, body, trace), patience)
        if answer.status >= 500:
            raise Unreached(answer.status if answer.status in (502, 504) else 502, said(answer))
        return answer


class Local:
    """A part inside this process. `enter(name)` returns when the part lets somebody in."""

    def __init__(self, name: str, handlers, enter) -> None:  # noqa: ANN001
        self.name = name
        self._pages = Pages(handlers)
        self._enter = enter

    def ask(self, request: Request | None, method: str, target: str, body: str = "", patience: float = PATIENCE) -> Answer:
        """The answer. No patience helps: a call inside a process cannot be given up."""
        self._enter(self.name)
        inner = Request(method, target, {}, body.encode(), None)
        inner.trace = request.trace if request else None
        response = self._pages.find(method, inner.path)(inner)
        return Answer(self.name, response.status, response.body.decode())


class Breaker:
    """Leaves a part alone for REST seconds after it failed; then one request tries it again."""

    def __init__(self) -> None:
        self._lock = _thread.allocate_lock()
        self._until = 0.0

    def lets_through(self) -> bool:
        with self._lock:
            now = time.monotonic()
            if now < self._until:
                return False
            if self._until:
                self._until = now + REST  # the others wait for what this one finds out
            return True

    def note(self, *, reached: bool) -> None:
        with self._lock:
            self._until = 0.0 if reached else time.monotonic() + REST


def from_environment(name: str) -> Remote | None:
    """The part named by `STOCK_URL` and its like; None where the manifest names none. Raises ValueError."""
    url = variable(f"{name.upper()}_URL")
    return Remote(url) if url else None


def falls_back() -> bool:
    """`STOCK_FALLBACK=unknown`: go on without numbers from the stock. Raises ValueError for another value."""
    value = variable("STOCK_FALLBACK")
    if value not in ("", "unknown"):
        raise ValueError(f"STOCK_FALLBACK is {value!r}; say unknown, or leave it out")
    return value == "unknown"


def message(host: str, method: str, target: str, body: str, trace) -> bytes:  # noqa: ANN001
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close"]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body.encode())}"]
    lines += [f"{name}: {value}" for name, value in (trace.outgoing() if trace else {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def exchange(name: str, port: int, data: bytes, patience: float) -> Answer:
    """One request on a connection of its own, in `patience` seconds after the name is found. Raises Unreached."""
    try:
        address = _socket.getaddrinfo(name, port, _socket.AF_INET, _socket.SOCK_STREAM)[0][4]
    except _socket.gaierror:
        raise Unreached(502, f"no such name: {name}") from None
    connection = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    try:
        return _exchange(name, connection, address, data, time.monotonic() + patience)
    except TimeoutError:
        raise Unreached(504, f"timed out: {name}") from None
    except ConnectionRefusedError:
        raise Unreached(502, f"refused: {name}") from None
    except (OSError, ValueError) as broken:
        raise Unreached(502, f"broke off: {name} ({broken})") from None
    finally:
        connection.close()


def _exchange(name: str, connection: "_socket.socket", address, data: bytes, deadline: float) -> Answer:  # noqa: ANN001
    connection.settimeout(deadline - time.monotonic())
    connection.connect(address)
    connection.sendall(data)
    received = b""
    while len(received) < MOST_ANSWER:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        more = connection.recv(16384)
        if not more:
            break
        received += more
    head, end, body = received.partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    if not end or len(words) < 3:
        raise ValueError("no whole answer")
    for line in head.split(b"\r\n"):
        field, _, value = line.partition(b":")
        if field.lower() == b"content-length" and len(body) < int(value):
            raise ValueError("the answer was cut short")
    return Answer(name, int(words[1]), body.decode("utf-8", "replace"))


def said(answer: Answer) -> str:
    """Why a part failed, in its own words where it blames a third one: `timed out: stock` stays that."""
    if answer.status in (502, 504):
        try:
            error = from_json(answer.body)["error"]
            if isinstance(error, str):
                return error
        except (ValueError, KeyError, TypeError):
            pass
    return f"{answer.name} answered {answer.status}"
