"""What becomes of uploads on each database: seen by whom, given up when, and erased with whom."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from api.app import create_app
from core.errors import InvalidRequest, NotFound, PermissionDenied, ServiceUnavailable
from core.outbox import outbox
from core.providers.breaker import CircuitBreaker
from core.providers.storage import FolderStorage, open_storage
from core.runtime import Runtime
from core.security import Principal, principal_for_role
from services.accounts.organizations import active_organizations
from services.conversations.conversations import (
    NewConversation,
    add_user_message,
    open_conversation,
)
from services.tickets.tickets import NewTicket, Ticket, create_ticket
from services.uploads.attachments import (
    attach_to_message,
    attach_to_ticket,
    uploads_of_conversation,
    uploads_of_tickets,
    usable_uploads,
)
from services.uploads.links import LINK_SECONDS, link_to
from services.uploads.retention import delete_orphans, erase_uploads_of
from services.uploads.tables import upload_attachments, uploads
from services.uploads.uploads import Upload, find_upload, keep_upload, remove_erased_files
from tests.cloudinary_server import cloudinary_server
from tests.integration.shop import Clock, Shop
from tests.pictures import photo

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def files_are_removed(runtime: Runtime) -> None:
    remove_erased_files(runtime)


async def keep(runtime: Runtime, principal: Principal, description: str = "") -> Upload:
    with TemporaryFile() as file:
        file.write(photo())
        file.seek(0)
        return await keep_upload(runtime, principal, file, "image/jpeg", description)


async def file_ticket(runtime: Runtime, principal: Principal) -> Ticket:
    async with runtime.database.transaction(principal.organization_id) as transaction:
        return await create_ticket(
            transaction,
            NewTicket("autre", "faible", "Une rayure", contact_email="a@example.com"),
            principal=principal,
            outbox=runtime.outbox,
            now=runtime.clock(),
        )


def files(runtime: Runtime) -> list[Path]:
    storage = runtime.storage
    assert isinstance(storage, FolderStorage)
    return [path for path in storage.folder.rglob("*") if path.is_file()]


async def rows(runtime: Runtime, table: Any = uploads) -> int:
    async with runtime.database.reading(None, every_organization=True) as transaction:
        return int(await transaction.scalar(select(func.count()).select_from(table)))


async def drained(runtime: Runtime) -> None:
    while await runtime.outbox.drain():
        pass


async def test_who_sees_a_file(runtime: Runtime, shop: Shop) -> None:
    upload = await keep(runtime, shop.customer)
    for principal, sees in (
        (shop.customer, True),
        (shop.agent, True),
        (shop.other_customer, False),
        (shop.visitor, False),
        (shop.stranger, False),
    ):
        async with runtime.database.reading(principal.organization_id) as transaction:
            if sees:
                assert await find_upload(transaction, upload.file_id, principal) == upload
            else:
                with pytest.raises(NotFound):
                    await find_upload(transaction, upload.file_id, principal)
                with pytest.raises(InvalidRequest):
                    await usable_uploads(transaction, [upload.file_id], principal)


async def test_who_may_send(runtime: Runtime, shop: Shop) -> None:
    viewer = principal_for_role(shop.organization_id, "user:9", "viewer")
    with pytest.raises(PermissionDenied):
        await keep(runtime, viewer)
    assert (await rows(runtime), files(runtime)) == (0, [])


async def test_orphans_go_after_a_day_with_their_files(
    runtime: Runtime, shop: Shop, clock: Clock
) -> None:
    await keep(runtime, shop.customer)
    await keep(runtime, shop.stranger)
    attached = await keep(runtime, shop.customer)
    ticket = await file_ticket(runtime, shop.customer)
    async with runtime.database.transaction(shop.organization_id) as transaction:
        await attach_to_ticket(transaction, [attached], ticket.id, clock())
    clock.advance(hours=23, minutes=59)
    assert await delete_orphans(runtime, clock()) == 0
    clock.advance(minutes=1)
    assert await delete_orphans(runtime, clock()) == 2
    await drained(runtime)
    assert await rows(runtime) == 1
    assert {path.name for path in files(runtime)} == {
        f"{attached.file_id}.jpg",
        f"{attached.file_id}_thumbnail.jpg",
    }
    assert await delete_orphans(runtime, clock()) == 0


async def test_what_a_dead_process_left_half_stored_goes(
    runtime: Runtime, shop: Shop, clock: Clock
) -> None:
    """A row without `stored_at` is nobody's to see, and its file goes with it."""
    upload = await keep(runtime, shop.customer)
    async with runtime.database.transaction(shop.organization_id) as transaction:
        await transaction.execute(uploads.update().values(stored_at=None))
    async with runtime.database.reading(shop.organization_id) as transaction:
        with pytest.raises(NotFound):
            await find_upload(transaction, upload.file_id, shop.customer)
    clock.advance(hours=24)
    assert await delete_orphans(runtime, clock()) == 1
    await drained(runtime)
    assert (await rows(runtime), files(runtime)) == (0, [])


async def test_a_person_is_erased_with_their_files(runtime: Runtime, shop: Shop) -> None:
    await keep(runtime, shop.customer)
    other = await keep(runtime, shop.other_customer)
    as_agent_for_customer = principal_for_role(
        shop.organization_id, "user:8", "customer", customer_id=shop.customer.customer_id
    )
    await keep(runtime, as_agent_for_customer)
    async with runtime.database.transaction(shop.organization_id) as transaction:
        erased = await erase_uploads_of(
            runtime, transaction, [shop.customer.actor], shop.customer.customer_id
        )
    assert erased == 2
    await drained(runtime)
    assert await rows(runtime) == 1
    assert all(path.name.startswith(other.file_id) for path in files(runtime))


async def test_an_erasure_that_is_rolled_back_loses_nothing(runtime: Runtime, shop: Shop) -> None:
    upload = await keep(runtime, shop.customer)

    async def erase_in_vain() -> None:
        async with runtime.database.transaction(shop.organization_id) as transaction:
            await erase_uploads_of(runtime, transaction, [shop.customer.actor])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await erase_in_vain()
    await drained(runtime)
    assert await runtime.storage.read(upload.storage_key)


async def test_a_conversations_files_go_to_one_ticket(
    runtime: Runtime, shop: Shop, clock: Clock
) -> None:
    first, second = await keep(runtime, shop.visitor), await keep(runtime, shop.visitor)
    ticket = await file_ticket(runtime, shop.customer)
    new = NewConversation("session", shop.visitor.actor, None, "web_chat", "fr", 1)
    async with runtime.database.transaction(shop.organization_id) as transaction:
        conversation = await open_conversation(transaction, new, clock())
        for upload in (first, second):
            conversation = await open_conversation(transaction, new, clock())
            message_id, _ = await add_user_message(
                transaction, conversation, "photo", None, clock(), [upload.file_id]
            )
            await attach_to_message(transaction, [upload, upload], message_id, clock())
            await attach_to_message(transaction, [upload], message_id, clock())
        sent = await uploads_of_conversation(transaction, conversation.id)
        assert sent == [first, second]
        await attach_to_ticket(transaction, [first], ticket.id, clock())
        assert await uploads_of_conversation(transaction, conversation.id) == [second]
        assert await uploads_of_tickets(transaction, [ticket.id]) == {ticket.id: [first]}
    assert await rows(runtime, upload_attachments) == 3


async def test_67_a_storage_that_fails_answers_503_and_keeps_nothing(
    runtime: Runtime, shop: Shop, clock: Clock
) -> None:
    with cloudinary_server() as server:
        storage = open_storage(server.setting, CircuitBreaker("cloudinary"))
        object.__setattr__(runtime, "storage", storage)
        upload = await keep(runtime, shop.customer)
        assert len(server.assets) == 2
        assert upload.size_bytes == len(await runtime.storage.read(upload.storage_key))
        # The picture is stored, its thumbnail is not.
        server.faults[:] = ["none", "error", "error"]
        with pytest.raises(ServiceUnavailable):
            await keep(runtime, shop.customer)
        assert (await rows(runtime), len(server.assets)) == (1, 3)
        await drained(runtime)
        assert len(server.assets) == 2
        retried = await keep(runtime, shop.customer)
        assert await runtime.storage.read(retried.storage_key)


async def test_files_of_a_storage_that_is_down_are_removed_later(
    runtime: Runtime, shop: Shop, clock: Clock
) -> None:
    with cloudinary_server() as server:
        storage = open_storage(server.setting, CircuitBreaker("cloudinary"))
        object.__setattr__(runtime, "storage", storage)
        await keep(runtime, shop.customer)
        server.faults[:] = ["error"] * 2
        async with runtime.database.transaction(shop.organization_id) as transaction:
            await erase_uploads_of(runtime, transaction, [shop.customer.actor])
        await drained(runtime)
        assert len(server.assets) == 2
        clock.advance(minutes=5)
        await drained(runtime)
        assert server.assets == {}
    async with runtime.database.reading(shop.organization_id) as transaction:
        pending = await transaction.all(select(outbox).where(outbox.c.done_at.is_(None)))
    assert [row.topic for row in pending if row.topic == "upload.erased"] == []


@pytest.fixture
async def anyone(runtime: Runtime) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application on the open runtime."""
    app = create_app(runtime.settings)
    app.state.runtime = runtime
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
        yield client


async def test_11_a_signed_address_is_bound_to_its_shop_and_its_hour(
    runtime: Runtime, shop: Shop, clock: Clock, anyone: httpx.AsyncClient
) -> None:
    upload = await keep(runtime, shop.customer)
    foreign = await keep(runtime, shop.stranger)
    url = link_to(runtime, upload, "http://shop.test") or ""
    assert (await anyone.get(url)).status_code == 200
    keys = {one.id: one.public_key for one in await active_organizations(runtime.database)}
    own = {"X-Public-Key": keys[shop.organization_id]}
    other = {"X-Public-Key": keys[shop.other_organization_id]}
    assert (await anyone.get(url, headers=own)).status_code == 200
    assert (await anyone.get(url, headers=other)).status_code == 404
    swapped = url.replace(upload.file_id, foreign.file_id)
    assert (await anyone.get(swapped)).status_code == 404
    clock.advance(seconds=LINK_SECONDS - 1)
    assert (await anyone.get(url)).status_code == 200
    clock.advance(seconds=1)
    assert (await anyone.get(url)).status_code == 404


async def test_a_file_that_has_been_given_up_is_404(
    runtime: Runtime, shop: Shop, clock: Clock, anyone: httpx.AsyncClient
) -> None:
    upload = await keep(runtime, shop.customer)
    url = link_to(runtime, upload, "http://shop.test") or ""
    await runtime.storage.delete(upload.storage_key)
    assert (await anyone.get(url)).status_code == 404
    clock.now += timedelta(seconds=1)
    async with runtime.database.transaction(shop.organization_id) as transaction:
        await erase_uploads_of(runtime, transaction, [shop.customer.actor])
    assert (await anyone.get(url)).status_code == 404


async def test_the_public_url_is_what_addresses_begin_with(runtime: Runtime, shop: Shop) -> None:
    upload = await keep(runtime, shop.customer)
    url = link_to(runtime, upload, "https://api.example.com/", "thumbnail") or ""
    assert url.startswith(f"https://api.example.com/api/files/{upload.file_id}?variant=thumbnail&")
