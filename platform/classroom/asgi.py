"""The ASGI application: Django for HTTP, our consumers for sockets, the runtime for the process's life."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classroom.settings.embedded")

from django.core.asgi import get_asgi_application

_http = get_asgi_application()  # sets Django up; everything below may import models

from channels.routing import ProtocolTypeRouter  # type: ignore[import-untyped]  # noqa: E402

from classroom.live.routing import sockets  # noqa: E402

application = ProtocolTypeRouter({"http": _http, "websocket": sockets})
