"""Which page answers which request."""


class NoPage(Exception):
    """Nothing answers this method and path; the text says what does."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Pages:
    """Handlers (`function(request) -> Response`) by key: `/items` for GET and HEAD, `POST /orders` for another
    method, and `/orders/*` for everything one step below `/orders/`.
    """

    def __init__(self, handlers) -> None:  # noqa: ANN001 - see chandlery/__init__.py
        self._handlers: dict[str, dict[str, object]] = {}
        for key, handler in handlers.items():
            method, _, path = key.rpartition(" ")
            self._handlers.setdefault(path, {})[method or "GET"] = handler

    def route(self, path: str) -> str:
        """The path's name in metrics: as it was registered, or "other"."""
        below = path.rpartition("/")[0] + "/*"
        return path if path in self._handlers else below if below in self._handlers else "other"

    def find(self, method: str, path: str):  # noqa: ANN201
        """The handler. Raises NoPage."""
        methods = self._handlers.get(self.route(path))
        if methods is None:
            raise NoPage(404, f"no page {safe_path(path)} here")
        handler = methods.get("GET" if method == "HEAD" else method)
        if handler is None:
            raise NoPage(405, f"{safe_path(path)} answers {' and '.join(sorted(methods))} only")
        return handler


def safe_path(path: str) -> str:
    """A path as one short printable word."""
    return "".join(c if c.isprintable() else "?" for c in path[:80])
