"""A registry that has nothing: every image is "not found", at once and without a name server.

Run as a script (`python -I -S registry.py ADDRESS PORT`), standard library only and as little of it
as will do, because it is one more process beside the cluster. containerd on every node is told to
ask here for images it does not have.
"""

import socket
import sys

_BODY = b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"not found: this cluster has no registry"}]}'
_ANSWER = (
    b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n"
    b"Docker-Distribution-Api-Version: registry/2.0\r\n"
    b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(_BODY)
)
_LONGEST_REQUEST = 65536


def answer(client: socket.socket) -> None:
    """Read one request's head (never a body: registries are only read) and refuse it."""
    client.settimeout(2.0)
    head = b""
    while b"\r\n\r\n" not in head and len(head) < _LONGEST_REQUEST:
        piece = client.recv(4096)
        if not piece:
            return
        head += piece
    client.sendall(_ANSWER if head.startswith(b"HEAD ") else _ANSWER + _BODY)


def serve(address: str, port: int) -> None:
    """Answer forever, one client after another: an answer takes no time."""
    with socket.create_server((address, port), backlog=64) as server:
        while True:
            client, _ = server.accept()
            try:
                with client:
                    answer(client)
            except OSError:
                continue


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
