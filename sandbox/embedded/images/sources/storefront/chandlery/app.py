"""The life of an app: start, answer, leave politely."""

import _signal
import posix
import select
import time

from chandlery.identity import pod_name, pod_uid, variable
from chandlery.metrics import Metrics
from chandlery.server import Request, Response, Server
from chandlery.switches import SwitchRefused, Switches
from chandlery.text import parse_duration, safe_token, to_json

# After SIGTERM: Service rules need about a second to forget this Pod, so it goes on answering for one; then
# open requests may finish. In sum just below 3 s, the shortest grace period a lesson gives.
GOING_ON_SECONDS = 1.0
FINISHING_SECONDS = 1.8
LEAVING = {_signal.SIGTERM, _signal.SIGINT}
HEALTH = ("/healthz", "/readyz", "/metrics")
PROBER = "glasshull-prober"  # asks four times a second: not worth a log line each


class App:
    """`routes`: path -> function(request) -> Response, for the app's own pages."""

    def __init__(self, name: str, routes) -> None:  # noqa: ANN001 - see chandlery/__init__.py
        self.name = name
        self.version = variable("APP_VERSION", "1.0")
        self.switches = Switches()
        self.metrics = Metrics()
        self.uid = pod_uid()
        self.started = ""
        self.leaving = False
        self._routes = {"/healthz": self._healthz, "/readyz": self._readyz, "/whoami": self._whoami,
                        "/metrics": self._metrics, **routes}  # fmt: skip

    def run(self) -> int:
        """Serve until SIGTERM; the exit code. Returns 2 at once when the environment makes no sense."""
        # Blocked before any thread starts: all of them inherit it, and only `sigwait` below sees signals.
        _signal.pthread_sigmask(_signal.SIG_BLOCK, LEAVING | {_signal.SIGCHLD})
        try:
            delay = parse_duration(variable("START_DELAY", "0.3s"))
            if variable("SWITCH"):
                self.switches.turn(variable("SWITCH"))
        except ValueError as wrong:
            say(f"cannot start: {wrong}")
            return 2
        if self.switches.exit is not None:
            say(f"exit {self.switches.exit}: switched so")
            return self.switches.exit
        say(f"{self.name} {self.version} is starting, ready in {delay:g} s")
        if _signal.sigtimedwait(LEAVING, delay):
            say("asked to leave before it began")
            return 0
        service = Server(int(variable("PORT", "8080")), self._answer)
        admin = Server(int(variable("ADMIN_PORT", "9090")), self._administer)
        self.started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        service.start()
        admin.start()
        say(f"listening on {service.port}, admin on {admin.port}")
        self._await_leave()
        return self._leave(service)

    def _await_leave(self) -> None:
        while _signal.sigwait(LEAVING | {_signal.SIGCHLD}) not in LEAVING:
            reap()

    def _leave(self, service: Server) -> int:
        self.leaving = service.closing = True
        say("asked to leave: not ready any more, still answering")
        time.sleep(GOING_ON_SECONDS)
        service.stop_listening()
        deadline = time.monotonic() + FINISHING_SECONDS
        while service.busy and time.monotonic() < deadline:
            time.sleep(0.02)
        say(f"left with {service.busy} requests unanswered")
        return 0

    def _answer(self, request: Request) -> Response | None:
        begun = time.monotonic()
        shop = request.path not in HEALTH
        route = request.path if request.path in self._routes else "other"
        self.metrics.begin()
        status = 499  # the client left first
        try:
            response = self._respond(request, shop=shop)
            if response is not None:
                status = response.status
                response.headers.update(self._signature(request))
            return response
        finally:
            seconds = time.monotonic() - begun
            self.metrics.end(route, status, seconds, shop=shop)
            if shop and request.headers.get("user-agent") != PROBER:
                say(f"{request.method} {safe_path(request.path)} {status} {seconds * 1000:.0f} ms")

    def _respond(self, request: Request, *, shop: bool) -> Response | None:
        if self.switches.hang and not self._outlast_hang(request):
            return None
        page = self._routes.get(request.path)
        if page is None:
            return problem(404, f"no page {safe_path(request.path)} here")
        if request.method not in ("GET", "HEAD"):
            return problem(405, "only GET and HEAD are answered here")
        if shop and self.switches.slow:
            time.sleep(self.switches.slow)
        if shop and self.switches.next_fails():
            return problem(500, "switched to fail")
        try:
            return page(request)
        except Exception as failed:  # noqa: BLE001 - one broken page must not end the others
            say(f"{safe_path(request.path)} failed: {failed!r}")
            return problem(500, "this page failed")

    def _outlast_hang(self, request: Request) -> bool:
        """Wait until the switch is off (True) or the client has left (False)."""
        poll = select.poll()
        poll.register(request.connection.fileno(), select.POLLRDHUP | select.POLLHUP | select.POLLERR)
        while self.switches.hang:
            if poll.poll(100):
                return False
        return True

    def _signature(self, request: Request) -> dict[str, str]:
        """Every answer says who gave it, so that no page has to repeat the nonce in its text."""
        nonce = nonce_of(request)
        who = {"X-Glasshull-Pod-Uid": self.uid} if self.uid else {}
        return {**who, **({"X-Glasshull-Nonce": nonce} if nonce else {})}

    def _healthz(self, request: Request) -> Response:
        return Response(200, to_json({"live": True})) if self.switches.live else problem(503, "switched off")

    def _readyz(self, request: Request) -> Response:
        if self.leaving:
            return problem(503, "leaving")
        return Response(200, to_json({"ready": True})) if self.switches.ready else problem(503, "switched off")

    def _metrics(self, request: Request) -> Response:
        return Response(200, self.metrics.render(), "text/plain; version=0.0.4")

    def _whoami(self, request: Request) -> Response:
        return Response(200, to_json({
            "app": self.name, "version": self.version, "pod": pod_name(), "podUid": self.uid,
            "node": variable("NODE_NAME"), "ip": variable("POD_IP") or request.connection.getsockname()[0],
            "started": self.started, "served": self.metrics.served, "nonce": nonce_of(request),
        }))  # fmt: skip

    def _administer(self, request: Request) -> Response:
        if request.path != "/switch":
            return problem(404, "the admin port knows /switch")
        if request.method == "POST":
            words = request.body.decode("utf-8", "replace")
            try:
                self.switches.turn(words)
            except SwitchRefused as refused:
                return problem(400, str(refused))
            say("switched: " + " ".join(words.split()))
            if self.switches.exit is not None:
                posix._exit(self.switches.exit)
        elif request.method != "GET":
            return problem(405, "GET or POST")
        return Response(200, to_json(self.switches.describe()))


def nonce_of(request: Request) -> str:
    return safe_token(request.headers.get("x-glasshull-nonce", "") or request.query.get("nonce", ""))


def problem(status: int, text: str) -> Response:
    return Response(status, to_json({"error": text}))


def safe_path(path: str) -> str:
    """A path as one short printable word."""
    return "".join(c if c.isprintable() else "?" for c in path[:80])


def reap() -> None:
    """Process 1 inherits orphans."""
    try:
        while posix.waitpid(-1, posix.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def say(text: str) -> None:
    """One line in the log, with its time (UTC), in one write so that threads do not mix lines."""
    now = time.time()
    stamp = time.strftime("%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03d}"
    try:
        posix.write(1, f"{stamp} {text}\n".encode("utf-8", "replace"))
    except OSError:
        pass  # nobody reads the log
