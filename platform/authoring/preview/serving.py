"""The preview's server: on this machine's own address only, one thread a request, one that looks for saved files."""

from __future__ import annotations

import json
import mimetypes
import secrets
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from authoring.preview import looking, pages
from authoring.preview.built import Built
from authoring.staging import state_folder
from authoring.watching import LOOK, changed, stamp_of
from lessons.linting import NotALesson
from lessons.problems import LessonInvalid, Problem

ADDRESS = "127.0.0.1"
BEAT = 15.0  # seconds after which a stream without news says that it lives
OWN = {"bench.css": "text/css", "bench.js": "text/javascript"}


class Desk:
    """What is shown now, and how often it changed: `page` with every save, `findings` once the linter has looked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.findings: list[Problem] = []
        self.saved = time.time()
        self.counts = {"page": 0, "findings": 0}
        self._news = threading.Condition()
        self._stamp = stamp_of(folder.parent)

    def look(self) -> bool:
        """Once: are files different? Says so at once, and again when the linter has read them."""
        now = stamp_of(self.folder.parent)
        if self.counts["page"] and not changed(self._stamp, now):
            return False
        self._stamp, self.saved = now, time.time()
        self.tell("page")
        self._lint()
        return True

    def _lint(self) -> None:
        try:
            self.findings = looking.findings_of(self.folder)
        except (LessonInvalid, NotALesson, OSError) as error:
            self.findings = [Problem(f"{self.folder.name}/lesson.md", 1, 1, "L001", str(error))]
        self.tell("findings")

    def tell(self, what: str) -> None:
        with self._news:
            self.counts[what] += 1
            self._news.notify_all()

    def wait(self, seen: dict[str, int]) -> list[str]:
        """What changed beyond `seen` (which is brought up to date); empty after a while without news."""
        with self._news:
            self._news.wait_for(lambda: self.counts != seen, timeout=BEAT)
            news = [what for what, count in self.counts.items() if seen.get(what) != count]
            seen.update(self.counts)
            return news

    def watch(self, stopped: threading.Event) -> None:
        while not stopped.is_set():
            self.look()
            stopped.wait(LOOK)


class Preview(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, folder: Path, port: int) -> None:
        """Raises OSError when the port is taken."""
        super().__init__((ADDRESS, port), Answering)
        self.desk, self.built = Desk(folder), Built()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that hangs up is no news; anything else is a mistake of ours and told."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    @property
    def address(self) -> str:
        return f"http://{ADDRESS}:{self.server_address[1]}/"


class Answering(BaseHTTPRequestHandler):
    """GET only; every page has a policy of its own, and only this machine's own name is answered."""

    server: Preview
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(url.query).items()}
        if self.headers.get("Host", "").rpartition(":")[0] not in (ADDRESS, "localhost"):
            self._refuse(HTTPStatus.MISDIRECTED_REQUEST, "Use the address that the preview printed.")
            return
        try:
            self._answer(unquote(url.path), query)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the browser has gone on to the next version

    def _answer(self, path: str, query: dict[str, str]) -> None:
        name = path.removeprefix("/")
        match name.split("/", 1):
            case [""]:
                self._bench()
            case ["page"]:
                self._page(_number(query))
            case ["recording"]:
                self._recording(_number(query))
            case ["events"]:
                self._events()
            case ["part", part]:
                self._part(part, query)
            case ["media", file]:
                self._file(self.server.desk.folder / "media", file)
            case ["static", file]:
                self._file(self.server.built.folder.parent, file)
            case [own] if own in OWN:
                self._send((pages.HERE / own).read_bytes(), OWN[own])
            case _:
                self._refuse(HTTPStatus.NOT_FOUND, "There is no such page in the preview.")

    # --- pages ----------------------------------------------------------------------------------------
    def _bench(self) -> None:
        nonce = secrets.token_urlsafe(12)
        html = pages.bench_html(self.server.desk.folder.name, self.server.built.styles, nonce)
        self._send(html.encode(), "text/html", nonce)

    def _page(self, variant: int) -> None:
        look = looking.look_at(self.server.desk.folder, variant)
        built, nonce = self.server.built, secrets.token_urlsafe(12)
        if look.lesson is None or look.why:
            self._send(pages.plain_html(look.why, built.styles).encode(), "text/html", nonce)
            return
        data = looking.page_data(look, f"/recording?variant={variant}")
        html = pages.lesson_html(
            look.lesson, look.steps, data, styles=built.styles, script=built.script, nonce=nonce
        )
        self._send(html.encode(), "text/html", nonce)

    def _recording(self, variant: int) -> None:
        look = looking.look_at(self.server.desk.folder, variant)
        if look.lesson is None:
            self._refuse(HTTPStatus.NOT_FOUND, look.why)
            return
        self._json(looking.history_for(look.lesson, look.params))

    def _part(self, part: str, query: dict[str, str]) -> None:
        desk = self.server.desk
        if part == "source":
            sources = looking.sources_of(desk.folder, desk.findings)
            html = pages.source_html(desk.folder.name, sources, desk.findings, query.get("file", ""))
            self._send(html.encode(), "text/html")
            return
        lesson = looking.look_at(desk.folder).lesson
        if part == "proof":
            kept, is_old = looking.last_proof(state_folder(), lesson) if lesson else (None, False)
            ago = _ago(time.time() - float((kept or {}).get("made", 0)))
            self._send(pages.proof_html(desk.folder.name, kept, is_old, ago).encode(), "text/html")
        elif part == "facts":
            variants = [
                ", ".join(f"{key} = {value}" for key, value in each.items()) or "no values of their own"
                for each in looking.variants_of(lesson)
            ]
            self._json({"variants": variants, "picture": looking.picture_of(lesson) if lesson else ""})
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "There is no such part.")

    def _events(self) -> None:
        """A stream of events; the browser asks for what changed."""
        desk = self.server.desk
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        seen = dict(desk.counts)
        while True:
            news = desk.wait(seen)
            said = "".join(f"event: {what}\ndata: {desk.saved:.0f}\n\n" for what in news) or ": here\n\n"
            self.wfile.write(said.encode())
            self.wfile.flush()

    # --- answers --------------------------------------------------------------------------------------
    def _file(self, folder: Path, name: str) -> None:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()) or not path.is_file():
            self._refuse(HTTPStatus.NOT_FOUND, "There is no such file.")
            return
        self._send(path.read_bytes(), mimetypes.guess_type(path.name)[0] or "application/octet-stream")

    def _json(self, data: Any) -> None:
        self._send(json.dumps(data, default=str).encode(), "application/json")

    def _refuse(self, status: HTTPStatus, text: str) -> None:
        self._send(text.encode(), "text/plain", status=status)

    def _send(self, body: bytes, kind: str, nonce: str = "", *, status: HTTPStatus = HTTPStatus.OK) -> None:
        scripts = f"'self' 'nonce-{nonce}'" if nonce else "'self'"
        styles = scripts
        policy = (
            f"default-src 'none'; script-src {scripts}; style-src {styles}; style-src-attr 'unsafe-inline'; "
            "img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-src 'self'; frame-ancestors 'self'; "
            "base-uri 'none'; form-action 'none'"
        )
        self.send_response(status)
        text = kind.startswith(("text/", "application/json"))
        self.send_header("Content-Type", f"{kind}; charset=utf-8" if text else kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the library's own name)
        """Nothing: the author looks at the page, not at requests."""


def _number(query: dict[str, str]) -> int:
    text = query.get("variant", "0")
    return int(text) if text.isdigit() and len(text) < 4 else 0


def _ago(seconds: float) -> str:
    if seconds < 90:
        return "just now"
    minutes = round(seconds / 60)
    return f"{minutes} min ago" if minutes < 120 else f"{round(minutes / 60)} h ago"


def command(path: Path, port: int) -> int:
    """Serve until Ctrl C; 2 when there is no lesson or the port is taken."""
    folder = path.resolve()
    if not (folder.parent / "course.yaml").is_file() or not folder.is_dir():
        print(f"{path} is no lesson: no course.yaml lies beside its folder", file=sys.stderr)
        return 2
    try:
        server = Preview(folder, port)
    except OSError as error:
        print(f"Port {port} cannot be used ({error.strerror}); try --port 0", file=sys.stderr)
        return 2
    stopped = threading.Event()
    watching = threading.Thread(target=server.desk.watch, args=(stopped,), daemon=True)
    watching.start()
    print(f"{server.address}  shows {folder.name} and every save of it; Ctrl C ends it.", flush=True)
    if not server.built.script:
        print(
            "The picture is not built here: run `make setup` for it. The text is shown without.", flush=True
        )
    try:
        server.serve_forever(poll_interval=0.2)
    except KeyboardInterrupt:
        print()
    finally:
        stopped.set()
        server.server_close()
    return 0
