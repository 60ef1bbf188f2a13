from __future__ import annotations

import pytest

from classroom.live.origins import is_own_origin, normal_origin, own_hosts, own_origins

OWN = own_origins(own_hosts("127.0.0.1"), 8300)


@pytest.mark.parametrize(
    "origin", ["http://127.0.0.1:8300", "http://localhost:8300", "http://[::1]:8300", "HTTP://LOCALHOST:8300"]
)
def test_our_own_pages_may_open_sockets(origin: str) -> None:
    assert is_own_origin(origin.encode(), OWN)


@pytest.mark.parametrize(
    "origin",
    [
        None,
        b"",
        b"null",
        b"http://127.0.0.1:8301",
        b"https://127.0.0.1:8300",
        b"http://127.0.0.1",
        b"http://evil.example",
        b"http://localhost.evil.example:8300",
        b"http://shop.localhost:8300",
        b"http://localhost:8300@evil.example",
        b"http://user@localhost:8300",
        b"http://localhost:8300/path",
        b"file://",
        b"http://localhost:99999",
    ],
)
def test_P36_nobody_else_may(origin: bytes | None) -> None:
    assert not is_own_origin(origin, OWN)


def test_the_bound_address_and_the_operators_names_count() -> None:
    hosts = own_hosts("192.0.2.7", ["class.example.org", "https://school.example.org"])
    assert {"localhost", "127.0.0.1", "192.0.2.7", "class.example.org", "school.example.org"} <= set(hosts)
    origins = own_origins(hosts, 8300, ["class.example.org", "https://school.example.org"])
    assert "http://192.0.2.7:8300" in origins
    assert "https://school.example.org" in origins
    assert "https://class.example.org" not in origins


def test_default_ports_are_left_out_as_browsers_do() -> None:
    assert normal_origin("http://localhost:80") == "http://localhost"
    assert normal_origin("https://localhost:443") == "https://localhost"
    assert "http://localhost" in own_origins(["localhost"], 80)
