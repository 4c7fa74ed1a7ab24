"""Lines 25 to 31 of what it must withstand: hostile files, as whoever sends them meets them."""

from __future__ import annotations

import asyncio
import io
import json
import socket
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile

import httpx
import psutil
import pytest
from PIL import Image

from core.errors import InvalidRequest, PayloadTooLarge, SupportError, UnsupportedMedia
from core.providers.media import MediaWorkers, PreparedFile
from tests.pictures import empty_png, encoded, pdf, photo, photo_with_place, scene, video
from tests.serving import Server

SCRIPT = b"<script>alert(document.domain)</script>"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>x</script></svg>'


def take(content: bytes, folder: Path, announced: str = "") -> PreparedFile:
    """Hand a file to the worker, as an upload does."""

    async def prepare() -> PreparedFile:
        with TemporaryFile() as file:
            file.write(content)
            file.seek(0)
            return await MediaWorkers().prepare(file, announced, folder)

    return asyncio.run(prepare())


def refuse(content: bytes, folder: Path, announced: str = "") -> SupportError:
    with pytest.raises(SupportError) as refused:
        take(content, folder, announced)
    return refused.value


def _zip() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("../../outside.txt", "x")
    return written.getvalue()


@pytest.mark.parametrize("tail", [SCRIPT, _zip(), b"<?php system($_GET[0]);"])
@pytest.mark.parametrize(
    "content",
    [
        photo(),
        encoded(scene(), "PNG"),
        encoded(scene(), "GIF"),
        encoded(scene(), "HEIF"),
        video(),
        pdf(),
    ],
)
def test_25_what_hides_behind_a_file_is_not_kept(
    tmp_path: Path, content: bytes, tail: bytes
) -> None:
    kept = take(content + tail, tmp_path)
    assert tail not in kept.path.read_bytes()
    assert tail[:6] not in kept.path.read_bytes()[-len(tail) - 64 :]


def test_25_what_hides_within_a_picture_is_not_kept(tmp_path: Path) -> None:
    written = io.BytesIO()
    scene().save(written, "JPEG", comment=SCRIPT, icc_profile=SCRIPT * 20)
    assert SCRIPT in written.getvalue()
    assert SCRIPT not in take(written.getvalue(), tmp_path).path.read_bytes()


@pytest.mark.parametrize("head", [SCRIPT, b"\0" * 20, b"GIF89a/*", b"PK\x03\x04"])
def test_25_a_file_behind_another_is_refused(tmp_path: Path, head: bytes) -> None:
    for content in (photo(), pdf(), video()):
        assert refuse(head + content, tmp_path).status in {400, 413, 415}


@pytest.mark.parametrize(
    ("content", "announced"),
    [
        (photo(), "image/png"),
        (photo(), "application/pdf"),
        (photo(), "text/html"),
        (pdf(), "image/jpeg"),
        (video(), "image/jpeg"),
        (encoded(scene(), "PNG"), "video/mp4"),
        (encoded(scene(), "HEIF"), "video/mp4"),
        (encoded(scene(), "HEIF"), "image/jpeg"),
        (video(), "image/heic"),
        (SVG, "image/png"),
        (b"MZ" + b"\0" * 400, "image/jpeg"),
        (b"just words", "image/jpeg"),
    ],
)
def test_26_a_false_type_is_415(tmp_path: Path, content: bytes, announced: str) -> None:
    assert isinstance(refuse(content, tmp_path, announced), UnsupportedMedia)


@pytest.mark.parametrize("announced", ["image/svg+xml", "image/png", "", "text/xml"])
def test_27_an_svg_is_415(tmp_path: Path, announced: str) -> None:
    for content in (SVG, b"\n " + SVG, SVG.replace(b'<?xml version="1.0"?>', b"<!-- -->")):
        assert isinstance(refuse(content, tmp_path, announced), UnsupportedMedia)


def test_28_place_and_owner_are_gone_and_the_picture_stands_upright(tmp_path: Path) -> None:
    sent = photo_with_place()
    assert b"Camille" in sent
    kept = take(sent, tmp_path)
    content = kept.path.read_bytes()
    for secret in (b"Camille", b"Exif", b"taken at home"):
        assert secret not in content
    opened = Image.open(io.BytesIO(content))
    assert not opened.getexif()
    assert opened.size == (scene().height, scene().width)
    assert kept.thumbnail is not None
    assert b"Exif" not in kept.thumbnail.read_bytes()


def test_28_a_videos_place_is_gone(tmp_path: Path) -> None:
    sent = video("mov", title="At Camille's", location="+48.8583+002.2944/")
    assert b"Camille" in sent
    kept = take(sent, tmp_path).path.read_bytes()
    assert b"Camille" not in kept
    assert b"+48.8583" not in kept


@pytest.mark.parametrize("side", [12_000, 20_000])
def test_29_a_huge_png_is_413_at_once(tmp_path: Path, side: int) -> None:
    bomb = empty_png(side)
    assert len(bomb) < 200_000
    with _largest_memory_bytes() as largest:
        assert isinstance(refuse(bomb, tmp_path), PayloadTooLarge)
    assert list(tmp_path.iterdir()) == []
    assert largest[0] < 100 * 1024**2, largest


@contextmanager
def _largest_memory_bytes() -> Iterator[list[int]]:
    """The most that this process's children held at once while the block ran."""
    largest, done = [0], threading.Event()
    process = psutil.Process()
    # Servers of other tests have processes of their own.
    others = {child.pid for child in process.children(recursive=True)}

    def watch() -> None:
        while not done.wait(0.005):
            held = 0
            for child in process.children(recursive=True):
                if child.pid in others:
                    continue
                try:
                    # Before it begins its own program, a child shares the pages of its parent.
                    if "-I" in child.cmdline():
                        held += child.memory_info().rss
                except psutil.Error:
                    continue
            largest[0] = max(largest[0], held)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield largest
    finally:
        done.set()
        watcher.join()


def test_29_the_largest_picture_that_is_taken_is_reduced(tmp_path: Path) -> None:
    sent = encoded(Image.new("RGB", (8_000, 6_000), (200, 190, 180)))
    kept = take(sent, tmp_path)
    assert (kept.width, kept.height) == (4_000, 3_000) or kept.width == 4_096


def test_30_archives_are_415(tmp_path: Path) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"0" * 20_000_000)
    for announced in ("application/zip", "application/pdf", "", "image/jpeg"):
        assert isinstance(refuse(bomb.getvalue(), tmp_path, announced), UnsupportedMedia)
        assert isinstance(refuse(_zip(), tmp_path, announced), UnsupportedMedia)


def test_30_a_pdf_that_unpacks_without_end_is_refused_in_time(tmp_path: Path) -> None:
    import zlib

    packed = zlib.compress(b"0" * 400_000_000, 9)
    content = (
        b"%PDF-1.5\n1 0 obj<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length "
        + str(len(packed)).encode()
        + b">>stream\n"
        + packed
        + b"\nendstream endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
    )
    started = time.monotonic()
    assert refuse(content, tmp_path).status in {400, 413, 415}
    assert time.monotonic() - started < 25


@pytest.mark.parametrize("action", ["/JavaScript", "/Launch", "/SubmitForm", "/GoToR"])
def test_30_a_pdf_that_acts_is_415(tmp_path: Path, action: str) -> None:
    acting = b"/Type /Catalog /OpenAction << /S %s >>" % action.encode()
    content = pdf().replace(b"/Type /Catalog", acting)
    assert action.encode() in content
    assert isinstance(refuse(content, tmp_path), UnsupportedMedia)


def test_30_a_pdf_that_cannot_be_looked_into_is_refused(tmp_path: Path) -> None:
    assert isinstance(refuse(pdf(password="secret"), tmp_path), InvalidRequest)
    assert isinstance(refuse(pdf()[:200], tmp_path), InvalidRequest)
    assert isinstance(refuse(pdf(pages=101), tmp_path), PayloadTooLarge)


@pytest.mark.parametrize(
    "content", [photo()[:300], encoded(scene(), "PNG")[:300], video()[:600], video()[:40]]
)
def test_32_a_broken_file_is_400(tmp_path: Path, content: bytes) -> None:
    assert isinstance(refuse(content, tmp_path), InvalidRequest)


def test_32_a_playlist_reaches_for_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.3)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/x.ts"
        playlist = f"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:10.0,\n{address}\n#EXT-X-ENDLIST\n"
        listing = f"ffconcat version 1.0\nfile '{address}'\nfile '/etc/passwd'\n"
        movie = b"\0\0\0\x14ftypqt  \0\0\0\0qt  "
        for text in (playlist, listing):
            for announced in ("", "video/mp4", "application/vnd.apple.mpegurl"):
                refused = refuse(text.encode(), tmp_path, announced)
                assert isinstance(refused, UnsupportedMedia)
            assert refuse(movie + text.encode(), tmp_path).status == 400
        with pytest.raises(TimeoutError):
            listener.accept()


def test_the_worker_knows_no_secret_and_is_ended_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "must not be seen")
    seen: list[dict[str, str]] = []
    before = {child.pid for child in _isolated_children()}

    async def prepare() -> None:
        with TemporaryFile() as file:
            file.write(video(frames=400))
            file.seek(0)
            watching = asyncio.create_task(asyncio.to_thread(_environments, seen, before))
            with pytest.raises(InvalidRequest, match="in time"):
                await MediaWorkers().prepare(file, "", tmp_path, timeout_seconds=0.15)
            await watching

    asyncio.run(prepare())
    assert seen
    assert all("SECRET_KEY" not in environment for environment in seen)
    assert {child.pid for child in _isolated_children()} <= before


def _isolated_children() -> Iterator[psutil.Process]:
    for child in psutil.Process().children():
        with suppress(psutil.Error):
            if "-I" in child.cmdline():
                yield child


def _environments(seen: list[dict[str, str]], before: set[int]) -> None:
    for _ in range(12):
        time.sleep(0.01)
        for child in _isolated_children():
            with suppress(psutil.Error):
                if child.pid not in before:
                    seen.append(dict(child.environ()))


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "a\r\nX-Evil: 1.jpg", "..%2f..%2fx.jpg", "x" * 3000, "\u202egpj.exe", "."],
)
def test_31_a_file_name_is_never_used(server: Server, name: str) -> None:
    folder = server.data_dir / "files"
    before = set(folder.rglob("*"))
    with server.client("customer@example.com") as client:
        sent = client.post("/api/upload", files={"file": (name, photo(), "image/jpeg")})
        assert sent.status_code == 201, sent.text
        opened = httpx.get(sent.json()["file_url"], trust_env=False)
    file_id = sent.json()["file_id"]
    assert opened.headers["content-disposition"] == f'inline; filename="{file_id}.jpg"'
    assert "x-evil" not in opened.headers
    stored = [path for path in folder.rglob("*") if path.is_file() and path not in before]
    assert stored
    assert all(path.name.startswith("upload_") for path in stored)


def test_11_bad_credentials_open_nothing(server: Server) -> None:
    with server.client("customer@example.com") as client:
        sent = client.post("/api/upload", files={"file": ("a.jpg", photo(), "image/jpeg")})
        url = sent.json()["file_url"]
        assert client.get(url).status_code == 200
    for headers in ({"X-Public-Key": "pk_unknown"}, {"Authorization": "Bearer forged"}):
        refused = httpx.get(url, headers=headers, trust_env=False)
        assert refused.status_code == 401, json.dumps(refused.json())


def test_28_a_telephones_picture_stands_upright_without_its_place(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Telephone of Camille"
    for format in ("HEIF", "AVIF"):
        sent = encoded(scene(), format, exif=exif.tobytes())
        assert b"Camille" in sent
        kept = take(sent, tmp_path)
        content = kept.path.read_bytes()
        assert b"Camille" not in content
        opened = Image.open(io.BytesIO(content))
        assert (opened.format, opened.size) == ("JPEG", (scene().height, scene().width))


def test_29_a_huge_telephones_picture_is_413(tmp_path: Path) -> None:
    sent = encoded(Image.new("RGB", (8_200, 6_200)), "HEIF", quality=1)
    assert isinstance(refuse(sent, tmp_path), PayloadTooLarge)


def test_30_a_cut_telephones_picture_is_400(tmp_path: Path) -> None:
    for format in ("HEIF", "AVIF"):
        sent = encoded(scene(), format)
        for length in (40, len(sent) // 4, len(sent) // 2, len(sent) - 20):
            assert refuse(sent[:length], tmp_path).status in {400, 415}
