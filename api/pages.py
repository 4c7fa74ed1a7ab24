"""The pages that people see, and what they load: `/widget.js`, `/`, `/assets/<version>/…`.

All files of `web/` are read and compressed once, at first use; comments that fill lines of their
own stay here, licence notices excepted. The version in the addresses is
a digest of them all: what has it may be kept for ever, what has another is asked for again.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import brotli
from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from core.errors import NotFound

FOLDER = Path(__file__).resolve().parents[1] / "web"
# Addresses of pages and the files that they are; anything else is under `/assets/`.
PAGES = {
    "/": "pages/demo/index.html",
    "/console": "console/index.html",
    "/manage": "manager/index.html",
}
LOADER = "widget/loader.js"
# What stands in pages and in the loader for the address of this version's files.
PLACEHOLDER = b"/assets/@version"
# Neither inline code nor inline style, and no string becomes code.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "font-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
_FOR_EVER = "public, max-age=31536000, immutable"
_A_MOMENT = "public, max-age=300, stale-while-revalidate=86400"
_ASK_FIRST = "no-cache"
_TYPES = {".js": "text/javascript; charset=utf-8", ".html": "text/html; charset=utf-8"}
_COMMENTS = re.compile(rb"^[ \t]*(?:/\*\*.*?\*/|//[^\n]*)\n", re.DOTALL | re.MULTILINE)
_COMPRESSED = (".js", ".css", ".html", ".svg", ".json", ".txt", ".webmanifest")

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Asset:
    """A file as it is sent, and compressed by each coding that makes it smaller."""

    content: bytes
    compressed: Mapping[str, bytes]
    media_type: str
    etag: str


@dataclass(frozen=True)
class Site:
    """All files of `web/` by their path in it."""

    version: str
    assets: Mapping[str, Asset]


@cache
def site() -> Site:
    """Read and compress `web/`."""
    files = {
        path.relative_to(FOLDER).as_posix(): path.read_bytes()
        for path in sorted(FOLDER.rglob("*"))
        if path.is_file()
    }
    digest = hashlib.blake2b(digest_size=8)
    for name, content in files.items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    version = digest.hexdigest()
    return Site(version, {name: _asset(name, content, version) for name, content in files.items()})


def _asset(name: str, content: bytes, version: str) -> Asset:
    suffix = Path(name).suffix
    if suffix == ".html" or name == LOADER:
        content = content.replace(PLACEHOLDER, f"/assets/{version}".encode())
    if suffix == ".js":
        content = _COMMENTS.sub(b"", content)
    compressed = _compressed(content) if suffix in _COMPRESSED else {}
    guessed = mimetypes.guess_type(name)[0] or "application/octet-stream"
    etag = hashlib.blake2b(content, digest_size=12).hexdigest()
    return Asset(content, compressed, _TYPES.get(suffix, guessed), etag)


def _compressed(content: bytes) -> dict[str, bytes]:
    """By coding, the smallest first."""
    made = {"br": brotli.compress(content), "gzip": gzip.compress(content, 9, mtime=0)}
    return {coding: body for coding, body in made.items() if len(body) < len(content)}


@router.api_route("/widget.js", methods=["GET", "HEAD"])
async def widget_script(request: Request) -> Response:
    """The script that a shop's pages load."""
    return await _send(request, LOADER, _A_MOMENT)


@router.api_route("/assets/{version}/{name:path}", methods=["GET", "HEAD"])
async def asset(request: Request, version: str, name: str) -> Response:
    """A file of `web/`, whatever the version: an old page still finds what it loads."""
    current = (await run_in_threadpool(site)).version
    return await _send(request, name, _FOR_EVER if version == current else _ASK_FIRST)


async def page(request: Request) -> Response:
    """A page, with the policy that lets it load nothing but this server's files."""
    response = await _send(request, PAGES[request.scope["route"].path], _ASK_FIRST)
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["Referrer-Policy"] = "same-origin"
    return response


for path in PAGES:
    router.add_api_route(path, page, methods=["GET", "HEAD"])


async def _send(request: Request, name: str, cache_control: str) -> Response:
    found = (await run_in_threadpool(site)).assets.get(name)
    if found is None:
        raise NotFound("There is nothing at this address.")
    # The files hold nobody's data: pages of any shop may load them.
    headers = {
        "Cache-Control": cache_control,
        "Vary": "Accept-Encoding",
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    coding = _coding(request, found)
    etag = f'"{found.etag}-{coding}"' if coding else f'"{found.etag}"'
    headers["ETag"] = etag
    if _has(request, etag):
        return Response(status_code=304, headers=headers)
    if coding is not None:
        headers["Content-Encoding"] = coding
    content = found.content if coding is None else found.compressed[coding]
    return Response(content, media_type=found.media_type, headers=headers)


def _coding(request: Request, found: Asset) -> str | None:
    """The first coding of the file that the client takes; `q=0` refuses one."""
    taken = set()
    for offered in request.headers.get("accept-encoding", "").lower().split(","):
        name, _, weight = offered.partition(";")
        if not re.fullmatch(r"\s*q=0(\.0*)?\s*", weight):
            taken.add(name.strip())
    return next((coding for coding in found.compressed if coding in taken), None)


def _has(request: Request, etag: str) -> bool:
    """Whether the client has this very content already."""
    offered = request.headers.get("if-none-match", "")
    return any(one.strip().removeprefix("W/") in (etag, "*") for one in offered.split(","))
