"""Does what comes once a ticket is open reach that ticket, and the people who work on it?"""

from __future__ import annotations

from collections.abc import Sequence
from tempfile import TemporaryFile
from typing import Any

import orjson
import pytest

from bot.tools.add_to_ticket import TOOL, AddToTicketResult
from channels.consoles import desk_channel
from channels.ticket_news import tell_of_tickets
from core.runtime import Runtime
from core.security import Principal
from core.tools import run_tool
from services.tickets.changes import change_status, list_comments, list_events
from services.tickets.related import merge_tickets
from services.tickets.tickets import NewTicket, Ticket, create_ticket, find_ticket
from services.uploads.attachments import uploads_of_tickets
from services.uploads.uploads import keep_upload
from tests.integration.shop import Shop, open_chat
from tests.pictures import photo

pytestmark = pytest.mark.anyio


async def keep(runtime: Runtime, principal: Principal) -> str:
    with TemporaryFile() as file:
        file.write(photo())
        file.seek(0)
        return (await keep_upload(runtime, principal, file, "image/jpeg", "")).file_id


async def file(runtime: Runtime, principal: Principal, conversation: Any) -> Ticket:
    new = NewTicket("autre", "faible", "Une rayure", conversation_id=conversation)
    async with runtime.database.transaction(principal.organization_id) as transaction:
        return await create_ticket(
            transaction, new, principal=principal, outbox=runtime.outbox, now=runtime.clock()
        )


async def move(runtime: Runtime, shop: Shop, ticket: Ticket, status: str) -> None:
    async with runtime.database.transaction(shop.organization_id) as transaction:
        await change_status(
            transaction,
            ticket.number,
            status,
            principal=shop.agent,
            outbox=runtime.outbox,
            now=runtime.clock(),
        )


async def add(
    runtime: Runtime,
    principal: Principal,
    conversation: Any,
    *files: str,
    number: str | None = None,
    comment: str | None = None,
) -> AddToTicketResult:
    result = await run_tool(
        runtime,
        principal,
        TOOL,
        {"attachments": list(files), "ticket_number": number, "comment": comment},
        conversation_id=conversation,
        confirmed=True,
    )
    assert isinstance(result, AddToTicketResult)
    return result


async def files_and_history(
    runtime: Runtime, shop: Shop, ticket: Ticket
) -> tuple[list[str], list[str], str]:
    async with runtime.database.reading(shop.organization_id) as transaction:
        now = await find_ticket(transaction, ticket.number, principal=shop.agent)
        attached = (await uploads_of_tickets(transaction, [ticket.id])).get(ticket.id, [])
        events = await list_events(transaction, now)
    return [one.file_id for one in attached], [one.kind for one in events], now.status


async def test_a_file_joins_the_open_ticket_and_consoles_hear_of_it(
    runtime: Runtime, shop: Shop
) -> None:
    conversation = await open_chat(runtime, shop.visitor)
    ticket = await file(runtime, shop.visitor, conversation)
    heard: list[dict[str, Any]] = []

    def receive(items: Sequence[bytes] | None) -> None:
        heard.extend(orjson.loads(item) for item in items or ())

    await runtime.broadcast.listen(desk_channel(shop.organization_id), receive)
    tell_of_tickets(runtime)
    sent = await keep(runtime, shop.visitor)
    result = await add(runtime, shop.visitor, conversation, sent)
    assert (result.ticket_id, result.added) == (ticket.number, [sent])
    attached, events, status = await files_and_history(runtime, shop, ticket)
    assert (attached, events, status) == ([sent], ["created", "files_added"], "open")
    while await runtime.outbox.drain():
        pass
    told = {"type": "ticket", "ticket_id": ticket.number, "what": "files_added"}
    assert told in heard


async def test_the_same_file_is_added_once(runtime: Runtime, shop: Shop) -> None:
    conversation = await open_chat(runtime, shop.visitor)
    ticket = await file(runtime, shop.visitor, conversation)
    sent = await keep(runtime, shop.visitor)
    await add(runtime, shop.visitor, conversation, sent)
    assert (await add(runtime, shop.visitor, conversation, sent)).added == []
    attached, events, _ = await files_and_history(runtime, shop, ticket)
    assert (attached, events.count("files_added")) == ([sent], 1)


async def test_a_photo_ends_the_wait_for_the_customer(runtime: Runtime, shop: Shop) -> None:
    conversation = await open_chat(runtime, shop.customer)
    ticket = await file(runtime, shop.customer, conversation)
    await move(runtime, shop, ticket, "waiting_customer")
    await add(runtime, shop.customer, conversation, await keep(runtime, shop.customer))
    _, events, status = await files_and_history(runtime, shop, ticket)
    assert status == "in_progress"
    assert events[-2:] == ["files_added", "status_changed"]


@pytest.mark.parametrize("status", ["resolved", "closed"])
async def test_a_ticket_that_is_done_takes_no_file(
    runtime: Runtime, shop: Shop, status: str
) -> None:
    conversation = await open_chat(runtime, shop.customer)
    ticket = await file(runtime, shop.customer, conversation)
    await move(runtime, shop, ticket, status)
    sent = await keep(runtime, shop.customer)
    assert (await add(runtime, shop.customer, conversation, sent)).ticket_id is None
    assert (await files_and_history(runtime, shop, ticket))[0] == []


async def test_a_merged_ticket_leads_to_the_one_that_is_left(runtime: Runtime, shop: Shop) -> None:
    conversation = await open_chat(runtime, shop.customer)
    kept = await file(runtime, shop.customer, None)
    double = await file(runtime, shop.customer, conversation)
    async with runtime.database.transaction(shop.organization_id) as transaction:
        await merge_tickets(
            transaction,
            double.number,
            kept.number,
            principal=shop.agent,
            outbox=runtime.outbox,
            now=runtime.clock(),
        )
    sent = await keep(runtime, shop.customer)
    assert (await add(runtime, shop.customer, conversation, sent)).ticket_id == kept.number
    assert (await files_and_history(runtime, shop, kept))[0] == [sent]


async def test_nobody_adds_to_anothers_ticket(runtime: Runtime, shop: Shop) -> None:
    ticket = await file(runtime, shop.customer, await open_chat(runtime, shop.customer))
    conversation = await open_chat(runtime, shop.other_customer)
    sent = await keep(runtime, shop.other_customer)
    result = await add(runtime, shop.other_customer, conversation, sent, number=ticket.number)
    assert result.ticket_id is None
    assert (await files_and_history(runtime, shop, ticket))[0] == []


async def test_a_named_ticket_of_ones_own_is_found_from_another_conversation(
    runtime: Runtime, shop: Shop
) -> None:
    ticket = await file(runtime, shop.customer, None)
    conversation = await open_chat(runtime, shop.customer)
    sent = await keep(runtime, shop.customer)
    assert (await add(runtime, shop.customer, conversation, sent)).ticket_id is None
    named = await add(runtime, shop.customer, conversation, sent, number=ticket.number)
    assert named.added == [sent]


async def test_more_to_say_is_a_comment_of_the_customer(runtime: Runtime, shop: Shop) -> None:
    conversation = await open_chat(runtime, shop.visitor)
    ticket = await file(runtime, shop.visitor, conversation)
    result = await add(runtime, shop.visitor, conversation, comment="Le dossier est rayé aussi.")
    assert (result.ticket_id, result.commented, result.added) == (ticket.number, True, [])
    async with runtime.database.reading(shop.organization_id) as transaction:
        found = await find_ticket(transaction, ticket.number, principal=shop.agent)
        comments = await list_comments(transaction, found, principal=shop.agent)
    assert [(one.body, one.from_staff) for one in comments] == [
        ("Le dossier est rayé aussi.", False)
    ]


async def test_another_visitor_adds_nothing(runtime: Runtime, shop: Shop) -> None:
    conversation = await open_chat(runtime, shop.visitor)
    ticket = await file(runtime, shop.visitor, conversation)
    elsewhere = await open_chat(runtime, shop.customer)
    result = await add(
        runtime, shop.customer, elsewhere, number=ticket.number, comment="Un mot de trop."
    )
    assert result.ticket_id is None
