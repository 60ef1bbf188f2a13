"""A small threaded HTTP/1.1 server: one thread per connection, everything bounded."""

import _socket
import _thread
import time

from chandlery.text import from_json, parse_query, unquote

MOST_HEADER = 8 * 1024
MOST_BODY = 64 * 1024
MOST_CONNECTIONS = 64
IDLE_SECONDS = 5.0
STACK = 256 * 1024  # a request needs some 20 kB; the default of 8 MiB counts against no limit but scares readers

REASONS = {
    200: "OK", 201: "Created", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict",
    413: "Content Too Large",
    431: "Request Header Fields Too Large", 500: "Internal Server Error", 501: "Not Implemented",
    502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
}  # fmt: skip


class Request:
    """One parsed request; header names are lower case. `connection` is None for a call inside the process."""

    trace = None  # a tracing.Trace, once the app has looked at the headers

    def __init__(
        self, method: str, target: str, headers: dict[str, str], body: bytes, connection: "_socket.socket | None"
    ) -> None:
        path, _, query = target.partition("?")
        self.method = method
        self.path = unquote(path)
        self.query = parse_query(query)
        self.headers = headers
        self.body = body
        self.connection = connection

    def last(self) -> str:
        """What stands behind the last slash of the path."""
        return self.path.rpartition("/")[2]

    def map(self) -> dict[str, object]:
        """The body as a JSON map. Raises ValueError with a sentence for the client."""
        try:
            body = from_json(self.body.decode("utf-8", "replace"))
        except ValueError as wrong:
            raise ValueError(f"the body is no JSON: {wrong}") from None
        if not isinstance(body, dict):
            raise ValueError("the body must be a JSON map")
        return body


class Response:
    def __init__(
        self, status: int, body: str, kind: str = "application/json", headers: dict[str, str] | None = None
    ) -> None:
        self.status = status
        self.body = body.encode()
        self.kind = kind
        self.headers = headers or {}


class BadRequest(Exception):
    """The bytes received are no request this server answers; it says so and closes."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Server:
    """Listens on all addresses. `answer(request) -> Response` runs in the connection's own thread."""

    def __init__(self, port: int, answer) -> None:  # noqa: ANN001 - `typing` and `collections.abc` cost memory
        self._answer = answer
        self._lock = _thread.allocate_lock()
        self._room = MOST_CONNECTIONS
        self.busy = 0  # requests being answered
        self.closing = False  # answers say "Connection: close"
        self._listener = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        self._listener.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
        self._listener.bind(("0.0.0.0", port))
        self._listener.listen(128)
        self.port = self._listener.getsockname()[1]

    def start(self) -> None:
        _thread.stack_size(STACK)
        _thread.start_new_thread(self._accept, ())

    def stop_listening(self) -> None:
        try:
            self._listener.shutdown(_socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                handle, _ = self._listener._accept()
            except OSError:
                return  # stop_listening
            while not self._take_place():
                time.sleep(0.01)  # the kernel's queue holds the others
            _thread.start_new_thread(self._serve, (_socket.socket(fileno=handle),))

    def _take_place(self) -> bool:
        with self._lock:
            free = self._room > 0
            self._room -= free
            return free

    def _serve(self, connection: "_socket.socket") -> None:
        try:
            connection.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
            connection.settimeout(IDLE_SECONDS)
            received = b""
            again = True
            while again:
                again, received = self._exchange(connection, received)
        except OSError:
            pass  # the other side left, or stayed silent for too long
        finally:
            connection.close()
            with self._lock:
                self._room += 1

    def _exchange(self, connection: "_socket.socket", received: bytes) -> tuple[bool, bytes]:
        """Answer one request; (whether the connection stays open, bytes received beyond it)."""
        try:
            parsed = receive(connection, received)
        except BadRequest as bad:
            send(connection, Response(bad.status, f'{{"error": "{bad}"}}'), keep=False, head=False)
            return False, b""
        if parsed is None:
            return False, b""
        request, keep, rest = parsed
        with self._lock:
            self.busy += 1
        try:
            response = self._answer(request)
            keep = keep and not self.closing
            if response is None:
                return False, b""  # the client left while the app hung
            send(connection, response, keep=keep, head=request.method == "HEAD")
        finally:
            with self._lock:
                self.busy -= 1
        return keep, rest


def receive(connection: "_socket.socket", received: bytes) -> tuple[Request, bool, bytes] | None:
    """(request, keep-alive wanted, bytes beyond it); None when the client closed. Raises BadRequest, OSError."""
    while b"\r\n\r\n" not in received:
        if len(received) > MOST_HEADER:
            raise BadRequest(431, "the header is over 8 kB")
        more = connection.recv(4096)
        if not more:
            return None
        received += more
    head, _, rest = received.partition(b"\r\n\r\n")
    method, target, version, headers = parse_head(head)
    length = body_length(headers)
    while len(rest) < length:
        more = connection.recv(4096)
        if not more:
            return None
        rest += more
    wish = headers.get("connection", "").lower()
    keep = wish == "keep-alive" if version == "HTTP/1.0" else wish != "close"
    return Request(method, target, headers, rest[:length], connection), keep, rest[length:]


def parse_head(head: bytes) -> tuple[str, str, str, dict[str, str]]:
    """(method, target, version, headers). Raises BadRequest."""
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or words[2] not in ("HTTP/1.0", "HTTP/1.1"):
        raise BadRequest(400, "this is no HTTP/1.1 request")
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise BadRequest(400, "a header line has no colon")
        headers[name.strip().lower()] = value.strip()
    return words[0], words[1], words[2], headers


def body_length(headers: dict[str, str]) -> int:
    if "transfer-encoding" in headers:
        raise BadRequest(501, "send a Content-Length")
    text = headers.get("content-length", "0")
    if not (text.isascii() and text.isdigit()):
        raise BadRequest(400, "Content-Length is no number")
    if int(text) > MOST_BODY:
        raise BadRequest(413, "the body is over 64 kB")
    return int(text)


def send(connection: "_socket.socket", response: Response, *, keep: bool, head: bool) -> None:
    lines = [
        f"HTTP/1.1 {response.status} {REASONS.get(response.status, 'Status')}",
        f"Content-Type: {response.kind}; charset=utf-8",
        f"Content-Length: {len(response.body)}",
        "Connection: " + ("keep-alive" if keep else "close"),
        *(f"{name}: {value}" for name, value in response.headers.items()),
    ]
    data = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
    connection.sendall(data if head else data + response.body)
