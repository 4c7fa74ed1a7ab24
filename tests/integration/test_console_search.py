"""Are conversations and tickets found by their words, whatever the accents, and no others?"""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, text, update

from core.runtime import Runtime
from core.security import Principal, principal_for_role
from services.accounts.customers import NewCustomer, add_customers, find_customer_by_reference
from services.accounts.tables import customers
from services.accounts.users import NewUser, create_user
from services.conversations.conversations import (
    Conversation,
    NewConversation,
    add_user_message,
    open_conversation,
)
from services.conversations.notes import add_note
from services.conversations.search import Filters, find_conversations
from services.conversations.tables import conversations, messages
from services.conversations.word_index import INDEX, KEYS, fold_words
from services.tickets.assignment import conversations_of_tickets, find_tickets
from services.tickets.tables import tickets
from services.tickets.tickets import NewTicket, create_ticket
from tests.integration.shop import Shop

pytestmark = pytest.mark.anyio
SAID = "L’accoudoir du canapé est DÉCHIRÉ, l’œillet du rideau aussi : CMD-2026-000139"


async def chat(runtime: Runtime, organization_id: UUID, actor: str, said: str) -> Conversation:
    async with runtime.database.transaction(organization_id) as transaction:
        new = NewConversation(f"s-{actor}", actor, None, "web_chat", "fr", 1)
        conversation = await open_conversation(transaction, new, runtime.clock())
        await add_user_message(transaction, conversation, said, None, runtime.clock())
    return conversation


async def found(runtime: Runtime, organization_id: UUID, words: str) -> list[UUID]:
    async with runtime.database.reading(organization_id) as transaction:
        rows, _ = await find_conversations(
            transaction, Filters(text=words), None, 50, None, runtime.clock()
        )
    return [row.id for row in rows]


@pytest.mark.parametrize(
    "words",
    [
        "dechire",
        "DÉCHIRÉ",
        "canape accoudoir",
        "Canapé",
        "oeillet",
        "œillet",
        "cmd-2026-000139",
        "accoud",
        "l'accoudoir",
    ],
)
async def test_words_are_found_with_and_without_accents(
    runtime: Runtime, shop: Shop, words: str
) -> None:
    wanted = await chat(runtime, shop.organization_id, "visitor:1", SAID)
    await chat(runtime, shop.organization_id, "visitor:2", "Où est ma table ?")
    await chat(runtime, shop.other_organization_id, "visitor:3", SAID)
    assert await found(runtime, shop.organization_id, words) == [wanted.id]


@pytest.mark.parametrize("words", ["sofa", "canapé table", "chire", '"', "' OR 1=1", "* AND", "!!"])
async def test_what_is_not_there_is_not_found(runtime: Runtime, shop: Shop, words: str) -> None:
    await chat(runtime, shop.organization_id, "visitor:1", SAID)
    await chat(runtime, shop.organization_id, "visitor:2", "Où est ma table ?")
    assert await found(runtime, shop.organization_id, words) == []


async def test_notes_are_found_and_what_is_changed_or_deleted_is_forgotten(
    runtime: Runtime, shop: Shop
) -> None:
    shop_id = shop.organization_id
    conversation = await chat(runtime, shop_id, "visitor:1", SAID)
    async with runtime.database.transaction(shop_id) as transaction:
        author = await create_user(
            transaction, NewUser("alice@example.com", None, "Alice"), runtime.clock()
        )
        body = "A déjà téléphoné"
        await add_note(transaction, conversation.id, author.id, body, runtime.clock())
    assert await found(runtime, shop_id, "telephone") == [conversation.id]
    async with runtime.database.transaction(shop_id) as transaction:
        mine = messages.c.conversation_id == conversation.id
        await transaction.execute(update(messages).where(mine).values(content="Un fauteuil"))
    assert await found(runtime, shop_id, "accoudoir") == []
    assert await found(runtime, shop_id, "fauteuil") == [conversation.id]
    async with runtime.database.transaction(shop_id) as transaction:
        await transaction.execute(
            delete(conversations).where(conversations.c.id == conversation.id)
        )
    assert await found(runtime, shop_id, "fauteuil") == []
    async with runtime.database.reading(None) as transaction:
        if transaction.connection.dialect.name == "sqlite":
            keys = await transaction.connection.execute(text(f"SELECT count(*) FROM {KEYS}"))  # noqa: S608
            assert keys.scalar_one() == 0, "what belonged to the messages has gone with them"
            await transaction.connection.execute(
                text(f"INSERT INTO {INDEX} ({INDEX}) VALUES ('integrity-check')")  # noqa: S608
            )


async def test_tickets_are_found_without_accents_until_they_are_emptied(
    runtime: Runtime, shop: Shop
) -> None:
    ticket = NewTicket("montage", "moyen", "Le tiroir n’est pas réglé", contact_email="a@b.fr")
    async with runtime.database.transaction(shop.organization_id) as transaction:
        filed = await create_ticket(
            transaction,
            ticket,
            principal=shop.agent,
            outbox=runtime.outbox,
            now=runtime.clock(),
        )
    for words, count in (("regle", 1), ("TIROIR réglé", 1), ("a@b.fr", 1), ("serrure", 0)):
        assert len(await tickets_found(runtime, shop.agent, words)) == count, words
    async with runtime.database.transaction(shop.organization_id) as transaction:
        await transaction.execute(
            update(tickets).where(tickets.c.id == filed.id).values(description="")
        )
    assert await tickets_found(runtime, shop.agent, "regle") == []


async def tickets_found(runtime: Runtime, agent: Principal, words: str) -> list[str]:
    async with runtime.database.reading(agent.organization_id) as transaction:
        page, _ = await find_tickets(
            transaction, "all", words, None, agent.user_id, 50, None, runtime.clock()
        )
    return [one.number for one in page]


async def person(runtime: Runtime, shop: Shop, first: str, last: str, email: str) -> UUID:
    new = NewCustomer(f"C{len(email)}", email, first, last, None, None, None, "fr")
    async with runtime.database.transaction(shop.organization_id) as transaction:
        await add_customers(transaction, [new], runtime.clock())
        row = await find_customer_by_reference(transaction, new.reference)
    assert row is not None
    return row.id


@pytest.mark.parametrize(
    "words", ["francois", "FRANÇOIS", "lefevre", "Lefèvre franç", "f.lefevre@example", "lefe"]
)
async def test_a_customer_is_found_by_name_in_both_lists(
    runtime: Runtime, shop: Shop, words: str
) -> None:
    customer_id = await person(runtime, shop, "François", "Lefèvre", "f.lefevre@example.fr")
    await person(runtime, shop, "Zoé", "Françon", "zoe@example.fr")
    async with runtime.database.transaction(shop.organization_id) as transaction:
        new = NewConversation("s-1", "user:77", customer_id, "web_chat", "fr", 1)
        wanted = await open_conversation(transaction, new, runtime.clock())
        await add_user_message(transaction, wanted, "Bonjour", None, runtime.clock())
    await chat(runtime, shop.organization_id, "visitor:2", "Où est ma table ?")
    caller = principal_for_role(
        shop.organization_id, "user:77", "customer", customer_id=customer_id
    )
    number = await filed(runtime, caller, NewTicket("autre", "moyen", "Un pied bancal"))
    await filed(runtime, shop.customer, NewTicket("autre", "moyen", "Une rayure"))
    assert await found(runtime, shop.organization_id, words) == [wanted.id]
    assert await tickets_found(runtime, shop.agent, words) == [number]


async def test_a_name_that_was_changed_is_found_no_more(runtime: Runtime, shop: Shop) -> None:
    customer_id = await person(runtime, shop, "François", "Lefèvre", "f@example.fr")
    caller = principal_for_role(
        shop.organization_id, "user:77", "customer", customer_id=customer_id
    )
    number = await filed(runtime, caller, NewTicket("autre", "moyen", "Un pied bancal"))
    assert await tickets_found(runtime, shop.agent, "lefevre") == [number]
    async with runtime.database.transaction(shop.organization_id) as transaction:
        await transaction.execute(
            update(customers).where(customers.c.id == customer_id).values(last_name="effacé")
        )
    assert await tickets_found(runtime, shop.agent, "lefevre") == []
    assert await tickets_found(runtime, shop.agent, "efface") == [number]


@pytest.mark.parametrize(
    ("words", "is_found"),
    [
        ("000139", True),
        ("139", True),
        ("0139", True),
        ("2026-139", True),
        ("cmd139", True),
        ("CMD 2026 139", True),
        ("oslo-3p", True),
        ("canape-oslo", True),
        ("Oslo", True),
        ("39", False),
        ("1390", False),
        ("cmd1390", False),
        ("bergen", False),
    ],
)
async def test_parts_of_numbers_are_found_in_both_lists(
    runtime: Runtime, shop: Shop, words: str, is_found: bool
) -> None:
    conversation = await chat(runtime, shop.organization_id, "visitor:1", "Bonjour")
    ticket = NewTicket(
        "autre",
        "moyen",
        "Un pied bancal",
        product_sku="CANAPÉ-OSLO-3P",
        order_number="CMD-2026-000139",
        contact_email="a@b.fr",
        conversation_id=conversation.id,
    )
    number = await filed(runtime, shop.visitor, ticket)
    assert await tickets_found(runtime, shop.agent, words) == ([number] if is_found else [])
    async with runtime.database.reading(shop.organization_id) as transaction:
        theirs = await conversations_of_tickets(transaction, words)
    assert theirs == ([conversation.id] if is_found else [])


async def test_a_ticket_is_found_by_its_own_number_as_it_is_typed(
    runtime: Runtime, shop: Shop
) -> None:
    ticket = NewTicket("autre", "moyen", "Un pied bancal", contact_email="a@b.fr")
    number = await filed(runtime, shop.visitor, ticket)
    year, digits = number.split("-")[1:]
    for typed in (number, number.lower(), f"tkt {int(digits)}", f"{year} {digits}", digits):
        assert await tickets_found(runtime, shop.agent, typed) == [number], typed
    assert await tickets_found(runtime, shop.agent, f"{int(digits) + 1:06d}") == []


async def filed(runtime: Runtime, principal: Principal, new: NewTicket) -> str:
    async with runtime.database.transaction(principal.organization_id) as transaction:
        ticket = await create_ticket(
            transaction, new, principal=principal, outbox=runtime.outbox, now=runtime.clock()
        )
    return ticket.number


@given(st.text(max_size=80))
def test_folding_is_stable_and_holds_nothing_that_a_query_could_read(words: str) -> None:
    folded = fold_words(words)
    assert fold_words(" ".join(folded)) == folded
    assert all(word.isalnum() for word in folded)
