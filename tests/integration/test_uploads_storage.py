"""One suite for both places where files are kept, and what each does when it fails."""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from core.errors import ServiceUnavailable
from core.providers.breaker import CircuitBreaker
from core.providers.storage import FolderStorage, Storage, open_storage, storage_name
from core.providers.storage_cloudinary import CloudinaryStorage, open_cloudinary
from tests.cloudinary_server import CloudinaryServer, cloudinary_server
from tests.cloudinary_server.serving import SECRET

MEBIBYTE = 1024 * 1024
KEYS = ["a/2026/11/upload_1.jpg", "a/2026/11/upload_1.pdf", "a/2026/11/upload_1.mp4", "probe"]

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def cloudinary() -> Iterator[CloudinaryServer]:
    with cloudinary_server() as server:
        yield server


@pytest.fixture(params=["folder", "cloudinary"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "folder":
        return open_storage(f"file:{tmp_path / 'files'}")
    server: CloudinaryServer = request.getfixturevalue("cloudinary")
    server.reset()
    return open_storage(server.setting, CircuitBreaker("cloudinary"))


@pytest.fixture
def remote(cloudinary: CloudinaryServer) -> CloudinaryStorage:
    cloudinary.reset()
    return open_cloudinary(cloudinary.setting, CircuitBreaker("cloudinary"))


async def _fetch(place: Path | str) -> bytes:
    if isinstance(place, Path):
        return await asyncio.to_thread(place.read_bytes)
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.get(place)).raise_for_status().content


def _in_an_hour() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)


@pytest.mark.parametrize("key", KEYS)
async def test_what_is_written_is_read(storage: Storage, key: str) -> None:
    await storage.write(key, b"one")
    assert await storage.read(key) == b"one"
    assert await _fetch(storage.locate(key, _in_an_hour())) == b"one"
    await storage.write(key, b"two")
    assert await storage.read(key) == b"two"


async def test_a_file_of_several_chunks_is_whole(storage: Storage, tmp_path: Path) -> None:
    content = os.urandom(9 * MEBIBYTE)
    (tmp_path / "source").write_bytes(content)
    await storage.write_file("a/upload_2.mp4", tmp_path / "source")
    assert await storage.read("a/upload_2.mp4") == content
    assert (tmp_path / "source").exists()


async def test_what_is_deleted_is_gone_and_deleting_twice_is_no_error(storage: Storage) -> None:
    await storage.write("a/upload_3.jpg", b"one")
    for _ in range(2):
        await storage.delete("a/upload_3.jpg")
        with pytest.raises(FileNotFoundError):
            await storage.read("a/upload_3.jpg")


async def test_keys_do_not_touch_one_another(storage: Storage) -> None:
    for number, key in enumerate(KEYS):
        await storage.write(key, bytes([number]))
    await storage.delete(KEYS[0])
    assert [await storage.read(key) for key in KEYS[1:]] == [b"\1", b"\2", b"\3"]


@pytest.mark.parametrize("key", ["../outside", "/etc/passwd", "a/../../outside", ""])
async def test_a_folder_is_not_left(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="leave its folder"):
        await FolderStorage(tmp_path / "files").write(key, b"x")


@pytest.mark.anyio
async def test_67_a_full_disk_says_so_and_leaves_nothing_torn(tmp_path: Path) -> None:
    """A limit on the size of files refuses a write half-way, as a full disk does."""
    storage = FolderStorage(tmp_path / "files")
    await storage.write("a/upload_4.jpg", b"before")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MEBIBYTE, hard))
    try:
        for key in ("a/upload_4.jpg", "a/upload_5.jpg"):
            with pytest.raises(ServiceUnavailable, match="no space"):
                await storage.write(key, b"x" * 2 * MEBIBYTE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert await storage.read("a/upload_4.jpg") == b"before"
    assert [path.name for path in (tmp_path / "files" / "a").iterdir()] == ["upload_4.jpg"]


async def test_a_fault_that_passes_is_not_noticed(
    remote: CloudinaryStorage, cloudinary: CloudinaryServer
) -> None:
    cloudinary.faults[:] = ["error"]
    await remote.write("a/upload_6.jpg", b"one")
    assert cloudinary.requests == 2
    cloudinary.faults[:] = ["garbage"]
    assert await remote.read("a/upload_6.jpg") == b"one"


async def test_a_fault_that_lasts_opens_the_breaker_and_closes_again(
    cloudinary: CloudinaryServer, caplog: pytest.LogCaptureFixture
) -> None:
    cloudinary.reset()
    breaker = CircuitBreaker("cloudinary", recovery_seconds=0.0)
    remote = open_cloudinary(cloudinary.setting, breaker)
    cloudinary.faults[:] = ["error"] * 6
    for _ in range(3):
        with pytest.raises(ServiceUnavailable) as refused:
            await remote.write("a/upload_7.jpg", b"one")
        assert SECRET not in str(refused.value)
    assert breaker.failure_count >= 5
    assert cloudinary.assets == {}
    await remote.write("a/upload_7.jpg", b"one")
    assert breaker.state == "closed"


async def test_an_open_breaker_asks_nobody(cloudinary: CloudinaryServer) -> None:
    cloudinary.reset()
    breaker = CircuitBreaker("cloudinary", failure_threshold=1, recovery_seconds=60)
    remote = open_cloudinary(cloudinary.setting, breaker)
    cloudinary.faults[:] = ["error", "error"]
    with pytest.raises(ServiceUnavailable):
        await remote.write("a/upload_8.jpg", b"one")
    asked = cloudinary.requests
    with pytest.raises(ServiceUnavailable):
        await remote.write("a/upload_8.jpg", b"one")
    assert cloudinary.requests == asked


async def test_a_provider_that_hangs_is_left_in_time(cloudinary: CloudinaryServer) -> None:
    cloudinary.reset()
    original = open_cloudinary(cloudinary.setting, CircuitBreaker("cloudinary"))
    remote = CloudinaryStorage(original.account, CircuitBreaker("cloudinary"), timeout_seconds=0.5)
    cloudinary.faults[:] = ["hang", "hang"]
    started = datetime.now(UTC)
    with pytest.raises(ServiceUnavailable):
        await remote.write("a/upload_9.jpg", b"one")
    assert datetime.now(UTC) - started < timedelta(seconds=4)


async def test_a_wrong_secret_is_refused_at_once_and_trips_nothing(
    cloudinary: CloudinaryServer,
) -> None:
    cloudinary.reset()
    breaker = CircuitBreaker("cloudinary", failure_threshold=1)
    remote = open_cloudinary(cloudinary.setting.replace(SECRET, "other"), breaker)
    with pytest.raises(ServiceUnavailable):
        await remote.write("a/upload_10.jpg", b"one")
    assert (cloudinary.requests, breaker.state) == (1, "closed")


async def test_an_address_expires(remote: CloudinaryStorage) -> None:
    await remote.write("a/upload_11.jpg", b"one")
    place = remote.locate("a/upload_11.jpg", datetime.now(UTC) - timedelta(seconds=1))
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(str(place))).status_code == 404
        granted = str(remote.locate("a/upload_11.jpg", _in_an_hour()))
        altered = granted.replace("upload_11", "upload_12")
        assert altered != granted
        assert (await client.get(altered)).status_code == 401


def test_the_secret_is_shown_nowhere(cloudinary: CloudinaryServer) -> None:
    remote = open_cloudinary(cloudinary.setting, CircuitBreaker("cloudinary"))
    assert SECRET not in repr(remote.account)
    assert SECRET not in storage_name(cloudinary.setting)
    with pytest.raises(ValueError, match="cloudinary://<key>") as refused:
        open_storage(f"cloudinary://{SECRET}@cloud")
    assert SECRET not in str(refused.value)
