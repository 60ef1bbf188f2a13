"""Whose pages may open our sockets: exactly ours, by scheme, host and port.

Channels' `AllowedHostsOriginValidator` accepts the right host with any scheme and any port, so any app a
student serves on this host could open sockets as the victim (reference: ASVS 4.4.2).
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_WILDCARDS = ("0.0.0.0", "::", "[::]")  # noqa: S104


def own_hosts(bind: str, extra: Iterable[str] = ()) -> list[str]:
    """Host names this server answers to: loopback always, the bound address, and the operator's own names.

    `extra` are host names or whole origins (`https://class.example.org`).
    """
    hosts = list(LOOPBACK)
    if bind in _WILDCARDS:
        hosts += _addresses_of_this_machine()
    else:
        hosts.append(f"[{bind}]" if ":" in bind and not bind.startswith("[") else bind)
    hosts += [urlsplit(name).hostname or "" if "://" in name else name for name in extra]
    return list(dict.fromkeys(host for host in hosts if host))


def own_origins(hosts: Iterable[str], port: int, extra: Iterable[str] = ()) -> frozenset[str]:
    """`http://host:port` for each host, and each whole origin of `extra` as it stands."""
    origins = {normal_origin(f"http://{host}:{port}") for host in hosts}
    origins |= {normal_origin(name) for name in extra if "://" in name}
    return frozenset(origin for origin in origins if origin)


def normal_origin(text: str) -> str:
    """Scheme, host and port with default ports left out, as browsers send them; "" for anything else."""
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.username:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if port is None or port == {"http": 80, "https": 443}[parts.scheme]:
        return f"{parts.scheme}://{host}"
    return f"{parts.scheme}://{host}:{port}"


def is_own_origin(header: bytes | str | None, origins: frozenset[str]) -> bool:
    """A missing or `null` origin is nobody's: only browsers open our sockets, and they always send one."""
    if not header:
        return False
    text = header.decode("latin-1") if isinstance(header, bytes) else header
    return normal_origin(text) in origins


def _addresses_of_this_machine() -> list[str]:
    addresses: list[str] = []
    try:
        for family, _, _, _, address in socket.getaddrinfo(socket.gethostname(), None):
            if family == socket.AF_INET:
                addresses.append(str(address[0]))
    except OSError:
        pass  # a machine without a name in its own hosts file still has the address found below
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Nothing is sent: connecting a datagram socket only asks which of our addresses would be used.
            probe.connect(("192.0.2.1", 9))
            addresses.append(str(probe.getsockname()[0]))
        except OSError:
            pass
    return addresses
