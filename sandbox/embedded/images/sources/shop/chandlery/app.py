"""The life of an app: start, answer, leave politely."""

import _signal
import posix
import select
import time

from chandlery.burdens import Burdens
from chandlery.identity import pod_name, pod_uid, variable
from chandlery.metrics import Metrics
from chandlery.pacing import Pace
from chandlery.pages import NoPage, Pages, safe_path
from chandlery.server import Request, Response, Server
from chandlery.switches import SwitchRefused, Switches
from chandlery.text import parse_duration, safe_token, to_json
from chandlery.tracing import Tracing
from chandlery.upstream import Remote, Unreached, from_environment

# After SIGTERM: Service rules need about a second to forget this Pod, so it goes on answering for one; then
# open requests may finish. In sum just below 3 s, the shortest grace period a lesson gives.
GOING_ON_SECONDS = 1.0
FINISHING_SECONDS = 1.8
LEAVING = {_signal.SIGTERM, _signal.SIGINT}
HEALTH = ("/healthz", "/readyz", "/metrics")
NEED_PATIENCE = 0.3  # seconds for each name in READY_NEEDS; a kubelet waits one second for all
PROBER = "glasshull-prober"  # asks four times a second: not worth a log line each


class Failing(Exception):
    """A request that a switch made fail."""

    status = 500


class App:
    """One process of the shop. `parts` are the modules inside it that can hang on their own."""

    def __init__(self, name: str, parts: tuple[str, ...] = ()) -> None:
        self.name = name
        self.version = variable("APP_VERSION", "1.0")
        self.switches = Switches(name, parts)
        self.metrics = Metrics()
        self.uid = pod_uid()
        self.started = ""
        self.leaving = False
        self._burdens = Burdens(self.switches)
        self._tracing = Tracing(name)
        self._pace = None
        self._needs: list[Remote] = []
        self._pages = Pages({})

    def run(self, make_pages) -> int:  # noqa: ANN001 - see chandlery/__init__.py
        """Serve until SIGTERM; the exit code. `make_pages()` gives the app's own pages, as Pages takes them.

        Returns 2 at once when the environment makes no sense.
        """
        # Blocked before any thread starts: all of them inherit it, and only `sigwait` below sees signals.
        _signal.pthread_sigmask(_signal.SIG_BLOCK, LEAVING | {_signal.SIGCHLD})
        try:
            delay = self._prepare(make_pages)
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
        self._burdens.follow()
        say(f"listening on {service.port}, admin on {admin.port}")
        self._await_leave()
        return self._leave(service)

    def _prepare(self, make_pages) -> float:  # noqa: ANN001
        """Everything the environment decides; the start delay in seconds. Raises ValueError."""
        delay = parse_duration(variable("START_DELAY", "0.3s"))
        if variable("SWITCH"):
            self.switches.turn(variable("SWITCH"))
        self._pace = Pace()
        needs = [name for name in variable("READY_NEEDS").replace(",", " ").split() if name]
        self._needs = [from_environment(name) or Remote(f"http://{name}") for name in needs]
        self._pages = Pages({"/healthz": self._healthz, "/readyz": self._readyz, "/whoami": self._whoami,
                             "/metrics": self._metrics, **make_pages()})  # fmt: skip
        self._tracing.start()
        return delay

    def _await_leave(self) -> None:
        while True:
            if _signal.sigwait(LEAVING | {_signal.SIGCHLD}) not in LEAVING:
                reap()
            elif self.switches.ignore_sigterm:
                say("asked to leave: not listening to that")
            else:
                return

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
        route = self._pages.route(request.path)
        request.trace = self._tracing.begin(request.headers)
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
            if shop:
                self._tracing.report(request.trace, route, request.method, status, seconds)
            if shop and request.headers.get("user-agent") != PROBER:
                say(f"{request.method} {safe_path(request.path)} {status} {seconds * 1000:.0f} ms")

    def _respond(self, request: Request, *, shop: bool) -> Response | None:
        if self.switches.hang and not self._outlast_hang(request):
            return None
        try:
            page = self._pages.find(request.method, request.path)
            if shop:
                self._misbehave_and_work()
            return page(request)
        except (NoPage, Unreached, Failing) as answer:
            return problem(answer.status, str(answer))
        except Exception as failed:  # noqa: BLE001 - one broken page must not end the others
            say(f"{safe_path(request.path)} failed: {failed!r}")
            return problem(500, "this page failed")

    def _misbehave_and_work(self) -> None:
        """What comes before every page of the shop. Raises Failing."""
        if self.switches.slow:
            time.sleep(self.switches.slow)
        if self.switches.next_fails():
            raise Failing("switched to fail")
        self._pace.work()

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
        if not self.switches.ready:
            return problem(503, "switched off")
        for need in self._needs:
            try:
                answer = need.ask(None, "GET", "/readyz", patience=NEED_PATIENCE)
            except Unreached as missing:
                return problem(503, str(missing))
            if answer.status != 200:
                return problem(503, f"{need.name} answered {answer.status}")
        return Response(200, to_json({"ready": True}))

    def _metrics(self, request: Request) -> Response:
        return Response(200, self.metrics.render(), "text/plain; version=0.0.4")

    def _whoami(self, request: Request) -> Response:
        return Response(200, to_json({
            "app": self.name, "version": self.version, "pod": pod_name(), "podUid": self.uid,
            "node": variable("NODE_NAME"), "ip": variable("POD_IP") or request.connection.getsockname()[0],
            "zone": variable("ZONE"), "started": self.started, "served": self.metrics.served, "nonce": nonce_of(request),
        }))  # fmt: skip

    def _administer(self, request: Request) -> Response:
        response = self._obey(request)
        response.headers.update(self._signature(request))
        return response

    def _obey(self, request: Request) -> Response:
        if request.path == "/metrics":
            return self._metrics(request)  # here, too: an app that stands still can be looked at
        if request.path != "/switch":
            return problem(404, "the admin port knows /switch and /metrics")
        if request.method == "POST":
            words = request.body.decode("utf-8", "replace")
            try:
                self.switches.turn(words)
            except SwitchRefused as refused:
                return problem(400, str(refused))
            say("switched: " + " ".join(words.split()))
            self._burdens.follow()
            if self.switches.exit is not None:
                posix._exit(self.switches.exit)
        elif request.method != "GET":
            return problem(405, "GET or POST")
        return Response(200, to_json(self.switches.describe()))


def nonce_of(request: Request) -> str:
    return safe_token(request.headers.get("x-glasshull-nonce", "") or request.query.get("nonce", ""))


def problem(status: int, text: str) -> Response:
    return Response(status, to_json({"error": text}))


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
