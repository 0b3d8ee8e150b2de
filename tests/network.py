"""A network of one port: who is asked for what, and with which keys."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from program import environment

NO_KEYS = {
    name: value
    for name, value in environment().items()
    if not name.startswith(("AWS_", "AZURE_", "GOOGLE_")) and not name.lower().endswith("_proxy")
}
KEYS = {"AWS_ACCESS_KEY_ID": "id-of-the-key", "AWS_SECRET_ACCESS_KEY": "secret-of-the-key", "AWS_REGION": "us-east-1"}


@dataclass
class Line:
    """A port on which somebody waits, what was sent to it, and what it says to that."""

    port: int = 0
    heard: list[bytes] = field(default_factory=list)


@contextmanager
def listening(answer: str) -> Iterator[Line]:
    line = Line()

    class Answer(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            line.heard.append(self.request.recv(1 << 16))
            self.request.sendall(answer.encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answer) as server:
        line.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield line
        server.shutdown()


def through(port: int) -> dict[str, str]:
    """An environment in which all that goes to a network comes by this port."""
    place = f"http://127.0.0.1:{port}"
    proxies = {f"{name}_proxy": place for name in ("http", "https", "all")}
    loud = {name.upper(): value for name, value in proxies.items()}
    return {**NO_KEYS, **KEYS, **proxies, **loud, "AWS_ENDPOINT_URL": place, "HF_ENDPOINT": place}


def refusal(code: str) -> str:
    """An answer that repeats what it was asked with, as stores do."""
    body = f"<Error><Code>{code}</Code><AWSAccessKeyId>{KEYS['AWS_ACCESS_KEY_ID']}</AWSAccessKeyId></Error>"
    return f"HTTP/1.1 403 Forbidden\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"
