"""Erasure, export and retention on real databases, over every table that the product declares."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import JSON, Date, Float, Integer, LargeBinary, Table, Uuid, func, select, text
from sqlalchemy.types import Boolean

import api.tables  # noqa: F401  every table must be known
from core.database import Transaction, UtcDateTime, metadata, new_id
from core.errors import Conflict, NotFound
from core.runtime import Runtime
from core.security import Principal, principal_for_role
from core.settings import Settings
from services.conversations.word_index import INDEXES, SEARCHED
from services.privacy.consents import consent_texts, give_consent, has_consent, withdraw_consent
from services.privacy.export import person_document
from services.privacy.own import erase_own_data, export_own_data
from services.privacy.people import find_person, find_rows
from services.privacy.receipt import receipt_is_genuine
from services.privacy.requests import note_request, read_request
from services.privacy.retention import due_rows, remove_old_rows
from services.privacy.rules import class_rules, table_rules
from tests.integration.shop import Clock, Shop

pytestmark = pytest.mark.anyio

EMAIL, NAME, PHONE = "jeanne.martin@example.com", "Martin-Dubreuil", "+33612345678"
MARK = f"{NAME} {EMAIL} {PHONE}"
# Columns that stay after an erasure: codes, numbers and states that the product itself writes.
OURS = {
    "customers": {"reference", "language"},
    "tickets": {
        "number",
        "product_sku",
        "order_number",
        "problem_category",
        "problem_severity",
        "priority",
        "status",
    },
    "ticket_events": {"kind", "details"},
    "orders": {"number", "number_key", "status", "payment"},
    "order_lines": {"sku", "name"},
    "parcels": {"carrier", "status", "line_skus"},
    "tool_runs": {"tool", "outcome"},
    "consents": {"kind", "text_version", "language"},
}


class Filled:
    """One row about Jeanne in every table that can hold one, made from the declared columns."""

    def __init__(self, transaction: Transaction, organization_id: UUID, now: datetime) -> None:
        self.transaction = transaction
        self.organization_id = organization_id
        self.now = now
        self.ids: dict[str, UUID] = {}

    async def fill(self) -> None:
        for rule in table_rules():
            if not rule.nobody:
                self.ids[rule.name] = new_id()
        for table in metadata.sorted_tables:
            if table.name in self.ids:
                await self.transaction.insert(table, self.row(table))

    def row(self, table: Table) -> dict[str, Any]:
        row = {column.name: self.value(table.name, column) for column in table.c}
        row.pop("organization_id", None)
        if "organization_id" in table.c:
            row["organization_id"] = self.organization_id
        return row

    def value(self, table: str, column: Any) -> Any:
        if column.name == "id":
            return self.ids[table]
        for key in column.foreign_keys:
            return self.ids.get(key.column.table.name)
        if column.name == "conversation_id":
            return self.ids["conversations"]
        if column.name == "actor":
            return f"user:{self.ids['users']}"
        if column.name in {"email", "contact_email"}:
            return EMAIL
        if column.name in OURS.get(table, ()):
            return "code"[: getattr(column.type, "length", None)]
        return self.plain(column)

    def plain(self, column: Any) -> Any:
        kind = column.type
        if isinstance(kind, UtcDateTime):
            return self.now
        if isinstance(kind, Date):
            return date(2026, 1, 1)
        if isinstance(kind, Boolean):
            return True
        if isinstance(kind, Integer | Float):
            return 1
        if isinstance(kind, JSON):
            return {"said": MARK}
        if isinstance(kind, Uuid):
            return new_id()
        if isinstance(kind, LargeBinary):
            return b""
        return MARK if (kind.length or 1000) >= len(MARK) else NAME[: kind.length]


@pytest.fixture
async def jeanne(runtime: Runtime, shop: Shop) -> dict[str, UUID]:
    async with runtime.database.transaction(shop.organization_id) as transaction:
        filled = Filled(transaction, shop.organization_id, runtime.clock())
        await filled.fill()
        customers = metadata.tables["customers"]
        await transaction.execute(
            customers.update()
            .values(phone=PHONE, first_name="Jeanne", last_name=NAME)
            .where(customers.c.id == filled.ids["customers"])
        )
        memberships = metadata.tables["memberships"]
        await transaction.execute(
            memberships.update()
            .values(role="customer")
            .where(memberships.c.id == filled.ids["memberships"])
        )
    return filled.ids


def caller(shop: Shop, ids: dict[str, UUID]) -> Principal:
    return principal_for_role(
        shop.organization_id,
        f"user:{ids['users']}",
        "customer",
        user_id=ids["users"],
        customer_id=ids["customers"],
        email=EMAIL,
    )


async def tables_that_mention(runtime: Runtime) -> dict[str, list[str]]:
    """Every table a row of which holds Jeanne's address, name or number, whatever the column."""
    found: dict[str, list[str]] = {}
    async with runtime.database.reading(None, every_organization=True) as transaction:
        for table in metadata.tables.values():
            for row in await transaction.all(select(table)):
                values = " ".join(str(value) for value in row)
                words = [word for word in (EMAIL, NAME, PHONE) if word in values]
                if words:
                    found[table.name] = words
    return found


def test_every_table_has_a_rule_and_every_class_its_days() -> None:
    rules = {rule.name: rule for rule in table_rules()}
    assert set(rules) == set(metadata.tables)
    classes = class_rules(Settings())
    for name, rule in rules.items():
        assert rule.data_class in classes, name
        assert rule.nobody or rule.found_by, name
        columns = {*rule.found_by, *rule.to, *rule.hide, *rule.files, *rule.only}
        assert columns | ({rule.age} if rule.age else set()) <= set(rule.table.c.keys()), name
        assert rule.erase == "delete" or rule.nobody or rule.kept or rule.to, name


async def test_that_no_row_mentions_an_erased_person(
    runtime: Runtime, shop: Shop, jeanne: dict[str, UUID]
) -> None:
    before = await tables_that_mention(runtime)
    assert set(before) >= {"users", "customers", "messages", "tickets", "orders", "tool_runs"}
    receipt = await erase_own_data(runtime, caller(shop, jeanne))
    assert await tables_that_mention(runtime) == {}
    assert receipt["left_over"] == {}
    assert receipt["deleted"]["messages"] == 1
    assert receipt["emptied"]["orders"] == 1
    kept = {item["table"]: item for item in receipt["kept"]}
    assert "L123-22" in kept["orders"]["why"]
    assert kept["orders"]["days"] == 3650
    assert EMAIL not in str(receipt)


async def test_that_the_index_of_words_forgets_an_erased_person(
    runtime: Runtime, shop: Shop, jeanne: dict[str, UUID]
) -> None:
    assert await is_in_word_index(runtime, "dubreuil")
    await erase_own_data(runtime, caller(shop, jeanne))
    assert not await is_in_word_index(runtime, "dubreuil")


async def is_in_word_index(runtime: Runtime, word: str) -> bool:
    """Whether the bytes of the index hold a word; PostgreSQL's is asked for the rows behind it."""
    async with runtime.database.reading(None, every_organization=True) as transaction:
        if runtime.database.dialect == "postgresql":
            rows = [
                await transaction.scalar(
                    select(func.count())
                    .select_from(metadata.tables[one.table])
                    .where(metadata.tables[one.table].c[column].ilike(f"%{word}%"))
                )
                for one in SEARCHED
                for column in one.columns
            ]
            return any(rows)
        blocks = [
            block
            for index in INDEXES
            for block in (
                await transaction.connection.execute(text(f"SELECT block FROM {index.words}_data"))  # noqa: S608
            ).scalars()
        ]
    return any(word.encode() in block for block in blocks)


async def test_that_a_receipt_proves_itself(
    runtime: Runtime, shop: Shop, jeanne: dict[str, UUID]
) -> None:
    receipt = await erase_own_data(runtime, caller(shop, jeanne))
    secret = runtime.settings.secret_key.get_secret_value()
    assert receipt_is_genuine(secret, receipt)
    assert not receipt_is_genuine(secret, {**receipt, "left_over": {"messages": 1}})
    assert not receipt_is_genuine("another secret", receipt)
    async with runtime.database.reading(shop.organization_id) as transaction:
        stored = await read_request(transaction, UUID(receipt["id"]))
    assert stored.receipt == receipt
    assert stored.subject == {}


async def test_that_others_keep_their_rows(
    runtime: Runtime, shop: Shop, jeanne: dict[str, UUID]
) -> None:
    async def count(table: str) -> int:
        async with runtime.database.reading(None, every_organization=True) as transaction:
            statement = select(func.count()).select_from(metadata.tables[table])
            return int(await transaction.scalar(statement))

    before = {name: await count(name) for name in ("customers", "orders", "conversations")}
    await erase_own_data(runtime, caller(shop, jeanne))
    after = {name: await count(name) for name in before}
    assert after == {**before, "conversations": before["conversations"] - 1}
    async with runtime.database.reading(shop.organization_id) as transaction:
        person = await find_person(transaction, email="customer@example.com")
        assert (await person_document(transaction, person, runtime.clock()))["data"]["orders"]


async def test_that_an_export_holds_every_table_and_no_secret(
    runtime: Runtime, shop: Shop, jeanne: dict[str, UUID]
) -> None:
    document = await export_own_data(runtime, caller(shop, jeanne))
    assert set(document["data"]) == set(jeanne)
    assert document["data"]["messages"][0]["content"] == MARK
    for rule in table_rules():
        for row in document["data"].get(rule.name, []):
            assert not set(rule.hide) & set(row)


async def test_that_files_are_deleted_with_their_rows(
    runtime: Runtime, shop: Shop, jeanne: dict[str, UUID]
) -> None:
    uploads = metadata.tables["uploads"]
    recordings = metadata.tables["call_recordings"]
    for key in ("jeanne/photo", "jeanne/call"):
        await runtime.storage.write(key, b"content")
    async with runtime.database.transaction(shop.organization_id) as transaction:
        await transaction.execute(
            uploads.update().values(storage_key="jeanne/photo", thumbnail_key=None)
        )
        await transaction.execute(recordings.update().values(storage_key="jeanne/call"))
    receipt = await erase_own_data(runtime, caller(shop, jeanne))
    assert receipt["files"] == {"deleted": 2}
    for key in ("jeanne/photo", "jeanne/call"):
        with pytest.raises(FileNotFoundError):
            await runtime.storage.read(key)


async def test_that_a_person_of_another_shop_is_not_known(
    runtime: Runtime, shop: Shop, jeanne: dict[str, UUID]
) -> None:
    async with runtime.database.reading(shop.other_organization_id) as transaction:
        for named in ({"email": EMAIL}, {"customer_id": jeanne["customers"]}):
            with pytest.raises(NotFound):
                await find_person(transaction, **named)


async def test_that_retention_removes_what_is_old_and_a_dry_run_nothing(
    runtime: Runtime, shop: Shop, jeanne: dict[str, UUID], clock: Clock
) -> None:
    clock.advance(days=91)

    async def due() -> dict[str, int]:
        async with runtime.database.reading(shop.organization_id) as transaction:
            found = await due_rows(transaction, runtime.settings, runtime.clock())
        return {name: count for item in found for name, count in item.due.items() if count}

    first = await due()
    assert first["turns"] == 1
    assert "messages" not in first
    assert await due() == first
    removed = await remove_old_rows(runtime, shop.organization_id)
    assert removed == first
    assert await due() == {}
    clock.advance(days=1005)
    assert (await remove_old_rows(runtime, shop.organization_id))["conversations"] >= 1
    async with runtime.database.reading(shop.organization_id) as transaction:
        person = await find_person(transaction, email=EMAIL)
        found = await find_rows(transaction, person)
    assert found["messages"] == []
    assert found["orders"] == [jeanne["orders"]]


def test_that_settings_change_how_long_a_class_is_kept() -> None:
    rules = class_rules(Settings(retention_days={"conversation": 30}))
    assert rules["conversation"].days == 30
    assert rules["trace"].days == 90
    with pytest.raises(ValueError, match="no data class 'conversations'"):
        class_rules(Settings(retention_days={"conversations": 30}))


async def test_that_consent_ends_when_it_is_withdrawn(runtime: Runtime, shop: Shop) -> None:
    kind = "voice_recording"
    version = consent_texts()[kind].version
    async with runtime.database.transaction(shop.organization_id) as transaction:
        assert not await has_consent(transaction, shop.customer, kind)
        given = await give_consent(transaction, shop.customer, kind, version, "fr", runtime.clock())
        again = await give_consent(transaction, shop.customer, kind, version, "fr", runtime.clock())
        assert again == given
        assert await has_consent(transaction, shop.customer, kind)
        assert not await has_consent(transaction, shop.other_customer, kind)
        await withdraw_consent(transaction, shop.customer, kind, runtime.clock())
        assert not await has_consent(transaction, shop.customer, kind)
        with pytest.raises(NotFound):
            await withdraw_consent(transaction, shop.customer, kind, runtime.clock())


async def test_that_a_repeated_step_counts_nothing_twice(
    runtime: Runtime, shop: Shop, jeanne: dict[str, UUID]
) -> None:
    from services.privacy.erasure import erase_files, erase_rows, write_receipt

    async with runtime.database.transaction(shop.organization_id) as transaction:
        person = await find_person(transaction, email=EMAIL)
        id = await note_request(
            transaction, "erasure", person, requested_by="user:9", now=runtime.clock()
        )
    for step in (erase_files, erase_rows, write_receipt):
        first = await step(runtime, shop.organization_id, id)
        assert await step(runtime, shop.organization_id, id) == first
    async with runtime.database.reading(shop.organization_id) as transaction:
        request = await read_request(transaction, id)
    assert request.receipt is not None
    assert request.receipt["deleted"]["messages"] == 1


async def test_that_staff_are_refused(
    runtime: Runtime, shop: Shop, jeanne: dict[str, UUID]
) -> None:
    memberships = metadata.tables["memberships"]
    async with runtime.database.transaction(shop.organization_id) as transaction:
        await transaction.execute(memberships.update().values(role="agent"))
        with pytest.raises(Conflict):
            await find_person(transaction, email=EMAIL)
