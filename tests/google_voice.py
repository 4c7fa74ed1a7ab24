"""Google's voice for tests: its host behind a proxy of our own, over real TLS on loopback.

    with google_voice(folder) as google:
        # The environment that leads a client here instead of to Google:
        google.environment
        google.script(HttpFault(429), Hang(5))
        ...
        assert google.asked[-1].text == "Bonjour."

It speaks gTTS's wire: a form of lists within strings in, the same out, MP3 in base64 inside.
Without a script it says the text with Pico. Nothing of it reaches the network.
"""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import trustme

from tests.openai_server import BrokenJson, Hang, HttpFault, WrongContentType
from tests.recordings import recording, said

GoogleStep = HttpFault | Hang | BrokenJson | WrongContentType
VOICE_OF = {"fr": "fr-FR", "en": "en-GB", "de": "de-DE", "es": "es-ES", "it": "it-IT"}


@dataclass(frozen=True)
class Asked:
    """One request: the host that it was meant for, the words and their language."""

    host: str
    text: str
    language: str


@dataclass
class GoogleVoice:
    """The running proxy and the host behind it."""

    environment: Mapping[str, str]
    authority: trustme.CA
    asked: list[Asked] = field(default_factory=list)
    # A handshake that the client broke off, as it must with a stranger's certificate.
    refused_handshakes: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)
    _steps: deque[GoogleStep] = field(default_factory=deque)
    _contexts: dict[str, ssl.SSLContext] = field(default_factory=dict)

    def script(self, *steps: GoogleStep) -> None:
        """Queue what happens next, one step a request."""
        self._steps.extend(steps)

    def reset(self) -> None:
        """Forget the script and the requests."""
        self._steps.clear()
        self.asked.clear()

    def next_step(self) -> GoogleStep | None:
        return self._steps.popleft() if self._steps else None

    def context(self, host: str) -> ssl.SSLContext:
        """The server's side of TLS, as `host`."""
        if host not in self._contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.authority.issue_cert(host).configure_cert(context)
            self._contexts[host] = context
        return self._contexts[host]


class _Handler(BaseHTTPRequestHandler):
    """A proxy's CONNECT, then the host itself over the same connection."""

    protocol_version = "HTTP/1.1"
    google: GoogleVoice
    host = ""

    def do_CONNECT(self) -> None:
        self.host = self.path.partition(":")[0]
        self.send_response(200, "Connection established")
        self.end_headers()
        try:
            self.connection = self.google.context(self.host).wrap_socket(
                self.connection, server_side=True
            )
        except OSError:
            self.google.refused_handshakes += 1
            self.close_connection = True
            return
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", buffering=0)  # type: ignore[assignment]
        self.close_connection = False

    def do_POST(self) -> None:
        form = self.rfile.read(int(self.headers["content-length"])).decode()
        envelope = json.loads(parse_qs(form)["f.req"][0])
        procedure, arguments = envelope[0][0][:2]
        text, language, *_ = json.loads(arguments)
        assert procedure == "jQ1olc"
        assert self.path == "/_/TranslateWebserverUi/data/batchexecute"
        self.google.asked.append(Asked(self.host, text, language))
        step = self.google.next_step()
        match step:
            case HttpFault():
                self._answer(b"<html>Sorry...</html>", step.status, "text/html; charset=UTF-8")
            case WrongContentType():
                self._answer(b"<html>Before you continue</html>", 200, "text/html; charset=UTF-8")
            case BrokenJson():
                self._answer(_wrapped(base64.b64encode(b"no sound at all").decode()))
            case Hang():
                self.google.stopping.wait(step.seconds)
                self.close_connection = True
            case _:
                sound = recording(said(text, VOICE_OF.get(language, "en-GB")), "mp3")
                self._answer(_wrapped(base64.b64encode(sound).decode()))

    def _answer(self, body: bytes, status: int = 200, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def finish(self) -> None:
        super().finish()
        # TLS took the socket over: whoever serves knows only the one before.
        self.connection.close()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing is printed."""


def _wrapped(sound: str) -> bytes:
    row = ["wrb.fr", "jQ1olc", json.dumps([sound]), None, None, None, "generic"]
    rows = json.dumps([row, ["di", 41], ["af.httprm", 40, "1", 7]], separators=(",", ":"))
    return f")]}}'\n\n{rows}".encode()


@contextmanager
def google_voice(folder: Path) -> Iterator[GoogleVoice]:
    """Serve until the block ends; the authority's certificate lies in `folder`."""
    authority = trustme.CA()
    certificate = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(certificate))
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {}))
    server.daemon_threads = True
    proxy = f"http://127.0.0.1:{server.server_port}"
    google = GoogleVoice({"HTTPS_PROXY": proxy, "SSL_CERT_FILE": str(certificate)}, authority)
    server.RequestHandlerClass.google = google  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, name="google-voice")
    thread.start()
    try:
        yield google
    finally:
        google.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()
