"""A web server on this machine that answers as a test says: the network is the only thing that tests replace."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Answer:
    """What the server says to one request."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None  #: what it says the body's length is; None: the truth
    repeat: int = 1  #: how often the body is sent
    pause_s: float = 0.0  #: before it answers


Route = Answer | Callable[["Request"], Answer]


@dataclass(frozen=True)
class Request:
    """What the server was asked."""

    path: str  #: with the query
    headers: dict[str, str]  #: names in lower case


@dataclass
class Site:
    """Answers by path (without the query), and what was asked so far."""

    base: str
    routes: dict[str, Route] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)

    def paths(self) -> list[str]:
        return [request.path for request in self.requests]


@contextmanager
def serving() -> Iterator[Site]:
    """A site at a free port of this machine, until the block ends."""
    site = Site("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            request = Request(self.path, {name.lower(): value for name, value in self.headers.items()})
            site.requests.append(request)
            route = site.routes.get(self.path.partition("?")[0], Answer(status=404))
            answer = route(request) if callable(route) else route
            stopped.wait(answer.pause_s)
            with suppress(ConnectionError):  # a client that has had enough
                self._send(answer)

        def _send(self, answer: Answer) -> None:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            length = len(answer.body) * answer.repeat if answer.length is None else answer.length
            if length >= 0 and answer.status != 304:
                self.send_header("Content-Length", str(length))
            self.end_headers()
            for _ in range(answer.repeat):
                self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:
            """Not into the output of the tests."""

    stopped = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.base = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield site
    finally:
        stopped.set()
        server.shutdown()
        thread.join()
        server.server_close()
