"""Refuses every connection and look-up beyond this machine, and writes it down.

Python imports this module by itself in any process that has its folder on PYTHONPATH. An audit
hook cannot be taken off again and sees every socket that Python opens. The file that
`NETWORK_LOG` names gets one line an attempt.
"""

from __future__ import annotations

import os
import sys
from typing import Any

LOOPBACK = {"localhost", "127.0.0.1", "::1", "0.0.0.0", "", None}
WATCHED = {
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
    "socket.gethostbyaddr": 0,
}


def host_of(event: str, arguments: tuple[Any, ...]) -> Any:
    """The host that an event names; None for a socket of the file system."""
    value = arguments[WATCHED[event]]
    if isinstance(value, tuple):
        value = value[0]
    elif event.startswith("socket.send") or event == "socket.connect":
        return None
    return value.decode() if isinstance(value, bytes) else value


def refuse_network(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in WATCHED:
        return
    host = host_of(event, arguments)
    if host in LOOPBACK or str(host).startswith("127."):
        return
    log = os.open(os.environ["NETWORK_LOG"], os.O_APPEND | os.O_CREAT | os.O_WRONLY)
    os.write(log, f"{event} {host}\n".encode())
    os.close(log)
    raise OSError(f"no network: {event} {host}")


if "NETWORK_LOG" in os.environ:
    sys.addaudithook(refuse_network)
