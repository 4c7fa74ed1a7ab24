"""Whom does a request count for, before any route has seen it?

For the account of a verified access token or a valid API key, else for the address that it comes
from. Visitor tokens name nobody: anyone may have them for the asking. What a client says about
its address is believed only from a proxy that `TRUSTED_PROXIES` names.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.types import Scope

from core.errors import NotAuthenticated, SupportError
from core.runtime import Runtime
from core.security import read_token
from services.accounts.api_keys import is_api_key, known_key

Networks = Sequence[IPv4Network | IPv6Network]
# A household or a server is given at least this much: counting single addresses counts nothing.
IPV6_PREFIX = 64
_API_KEY_HEADERS = (b"x-api-key", b"api-key")


def header(scope: Scope, name: bytes) -> str:
    """The first header of a (lower-case) name, or nothing."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return ""


async def caller_of(scope: Scope, runtime: Runtime, proxies: Networks) -> str:
    """`user:<id>` or `key:<id>` where the credentials prove it, else `address:<address>`."""
    scheme, _, token = header(scope, b"authorization").partition(" ")
    if scheme.lower() == "bearer":
        token = token.strip()
    else:
        token = next(filter(None, (header(scope, name) for name in _API_KEY_HEADERS)), "").strip()
    if is_api_key(token):
        return await _key(runtime, token) or address_of(scope, proxies)
    if token and scheme:
        try:
            claims = read_token(runtime.settings.secret_key.get_secret_value(), "access", token)
        except NotAuthenticated:
            return address_of(scope, proxies)
        return f"user:{claims['sub']}"
    return address_of(scope, proxies)


async def _key(runtime: Runtime, token: str) -> str | None:
    try:
        principal = await known_key(runtime, token)
    except SupportError:
        return None
    return principal.actor if principal is not None else None


def address_of(scope: Scope, proxies: Networks) -> str:
    """The address that a request comes from; IPv6 by its network.

    Behind trusted proxies it is the last address of `X-Forwarded-For` that is not one of them:
    what stands before it, the client may have written itself.
    """
    client = scope.get("client")
    address = str(client[0]) if client else "unknown"
    if proxies and is_proxy(address, tuple(proxies)):
        for hop in reversed(_forwarded(scope)):
            network = _network(hop)
            if network is None:
                break
            address = hop
            if not is_proxy(hop, tuple(proxies)):
                break
    return f"address:{_network(address) or address}"


def _forwarded(scope: Scope) -> list[str]:
    """All that `X-Forwarded-For` headers list, in the order of the hops."""
    values = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return [hop.strip() for hop in b",".join(values).decode("latin-1").split(",")]


@lru_cache(maxsize=4096)
def is_proxy(address: str, proxies: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    """Whether an address is one of ours before the server."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in proxies)


@lru_cache(maxsize=4096)
def _network(address: str) -> str | None:
    """An IPv4 address as it is, an IPv6 address as its network; None for what is neither."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((parsed, IPV6_PREFIX), strict=False))
