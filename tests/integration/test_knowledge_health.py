"""What the knowledge lacks, on both databases: gaps, findings, and documents that come back."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, select, update

from core.database import Transaction
from core.errors import Conflict, NotFound
from core.jobs import Job, read_job
from core.runtime import Runtime
from knowledge.documents import (
    Document,
    DocumentFilter,
    NewDocument,
    create_document,
    list_documents,
    read_document,
)
from knowledge.editing import (
    change_document,
    list_removed,
    list_versions,
    remove_document,
    restore_version,
)
from knowledge.health.findings import (
    check_documents,
    count_findings,
    forget_settled,
    list_findings,
    mark_finding,
)
from knowledge.health.gaps import group_gaps, list_gaps, mark_gap, questions_of
from knowledge.health.job import last_check, submit_check, submit_checks
from knowledge.tables import documents, passages
from services.conversations.tables import conversations
from services.monitoring.outcomes import refresh_outcomes
from tests.history import Past, Said, write_past
from tests.integration.shop import Clock, Shop

pytestmark = pytest.mark.anyio

RENTAL = ("Louez-vous des meubles ?", "Proposez-vous la location de meubles ?")
MATTRESS = ("Est-ce que vous reprenez les vieux matelas ?", "Reprise de mon ancien matelas ?")
THIRTY = "Vous disposez de 30 jours pour annoncer le retour d’un article."
FOURTEEN = "Vous disposez de 14 jours pour annoncer le retour d’un article."


async def ask(runtime: Runtime, organization_id: UUID, *questions: str) -> list[Past]:
    past = [Past(runtime.clock(), (Said(one, "out_of_scope", known=False),)) for one in questions]
    async with runtime.database.transaction(organization_id) as transaction:
        await write_past(transaction, past)
    await refresh_outcomes(runtime, organization_id)
    await group_gaps(runtime, organization_id)
    return past


async def add(runtime: Runtime, shop: Shop, title: str, text: str) -> Document:
    async with runtime.database.transaction(shop.organization_id) as transaction:
        return await create_document(
            transaction, runtime.outbox, NewDocument(title, text), runtime.clock()
        )


async def gaps_of(transaction: Transaction, status: str = "open") -> list[tuple[str, int]]:
    found, total = await list_gaps(transaction, 50, 0, status)  # type: ignore[arg-type]
    assert total == len(found)
    return [(gap.question, gap.questions) for gap in found]


async def test_questions_are_grouped_and_decisions_stay(
    runtime: Runtime, shop: Shop, clock: Clock
) -> None:
    own = shop.organization_id
    await ask(runtime, own, *RENTAL, MATTRESS[0])
    async with runtime.database.transaction(own) as transaction:
        assert [times for _, times in await gaps_of(transaction)] == [2, 1]
        rental = (await list_gaps(transaction, 1, 0, "open"))[0][0]
        asked = await questions_of(transaction, rental.id, 10)
        assert {one.text for one in asked} == set(RENTAL)
        await mark_gap(transaction, rental.id, "dismissed")
    clock.advance(hours=1)
    await ask(runtime, own, RENTAL[0], MATTRESS[1])
    async with runtime.database.transaction(own) as transaction:
        dismissed, _ = await list_gaps(transaction, 10, 0, "dismissed")
        assert [(gap.id, gap.questions) for gap in dismissed] == [(rental.id, 3)]
        assert [times for _, times in await gaps_of(transaction)] == [2]
        with pytest.raises(NotFound):
            await mark_gap(transaction, uuid4(), "open")
    async with runtime.database.reading(shop.other_organization_id) as transaction:
        assert await gaps_of(transaction) == []


async def test_what_is_erased_or_long_ago_is_no_gap(
    runtime: Runtime, shop: Shop, clock: Clock
) -> None:
    own = shop.organization_id
    past = await ask(runtime, own, RENTAL[0])
    async with runtime.database.transaction(own) as transaction:
        await transaction.execute(delete(conversations).where(conversations.c.id == past[0].id))
        # Until the next check nothing is left of the question but that there was one.
        assert await gaps_of(transaction) == [("", 1)]
    await ask(runtime, own, MATTRESS[0])
    async with runtime.database.reading(own) as transaction:
        assert await gaps_of(transaction) == [(MATTRESS[0], 1)]
    clock.advance(days=91)
    await group_gaps(runtime, own)
    async with runtime.database.reading(own) as transaction:
        assert await gaps_of(transaction) == []


async def test_a_gap_whose_article_is_published_says_so(
    runtime: Runtime, shop: Shop, clock: Clock
) -> None:
    own = shop.organization_id
    await ask(runtime, own, *RENTAL)
    async with runtime.database.transaction(own) as transaction:
        gap = (await list_gaps(transaction, 1, 0, "open"))[0][0]
        new = NewDocument("Location", "Nous ne louons pas.", status="draft")
        draft = await create_document(transaction, runtime.outbox, new, clock())
        drafted = await mark_gap(transaction, gap.id, "drafted", draft.id)
        assert (drafted.status, drafted.asked_since) == ("drafted", False)
        clock.advance(minutes=1)
        published = NewDocument("Location", "Nous ne louons pas.")
        await change_document(transaction, runtime.outbox, draft.id, published, clock())
        assert (await list_gaps(transaction, 1, 0, "drafted"))[0][0].status == "published"
    clock.advance(minutes=1)
    await ask(runtime, own, RENTAL[1])
    async with runtime.database.reading(own) as transaction:
        asked_again = (await list_gaps(transaction, 1, 0, "drafted"))[0][0]
    assert (asked_again.status, asked_again.asked_since) == ("published", True)


async def test_findings_are_made_dismissed_and_settled(
    runtime: Runtime, shop: Shop, clock: Clock
) -> None:
    own = shop.organization_id
    await add(runtime, shop, "Retours", THIRTY)
    newer = await add(runtime, shop, "Rétractation", FOURTEEN)
    await add(runtime, shop, "Soldes", "Les soldes durent jusqu’au 31 août 2020.")
    async with runtime.database.transaction(own) as transaction:
        draft = NewDocument("Brouillon", "Valable jusqu’au 31 août 2020.", status="draft")
        await create_document(transaction, runtime.outbox, draft, clock())
    counted = await check_documents(runtime, own)
    assert counted == {"old": 0, "past_date": 1, "never_cited": 0, "contradiction": 1}
    async with runtime.database.transaction(own) as transaction:
        (past,), _ = await list_findings(transaction, 10, 0, "open", "past_date")
        assert past.title == "Soldes"
        await mark_finding(transaction, past.id, "dismissed")
    await check_documents(runtime, own)
    async with runtime.database.transaction(own) as transaction:
        (contrary,), total = await list_findings(transaction, 10, 0, "open")
        assert (contrary.kind, total) == ("contradiction", 1)
        assert {contrary.title, contrary.other_title} == {"Retours", "Rétractation"}
        same = NewDocument(newer.title, THIRTY.replace("Vous", "Tous les clients"))
        changed = await change_document(transaction, runtime.outbox, newer.id, same, clock())
        await forget_settled(transaction, changed)
        assert await count_findings(transaction) == dict.fromkeys(counted, 0)
    clock.advance(days=366)
    assert (await check_documents(runtime, own))["old"] == 3


async def test_citations_save_a_document_from_being_never_cited(
    runtime: Runtime, shop: Shop, clock: Clock
) -> None:
    own = shop.organization_id
    cited = await add(runtime, shop, "Livraison", "La livraison prend une semaine.")
    lonely = await add(runtime, shop, "Poney", "Le poney est en bois.")
    clock.advance(days=40)
    source = {"id": str(cited.id), "title": "Livraison", "quote": "…", "score": 0.9}
    said = Said("Vos délais ?", "delivery_question", source=source)
    async with runtime.database.transaction(own) as transaction:
        await write_past(transaction, [Past(clock(), (said,)) for _ in range(60)])
    assert (await check_documents(runtime, own))["never_cited"] == 1
    async with runtime.database.reading(own) as transaction:
        (finding,), _ = await list_findings(transaction, 10, 0, "open")
    assert finding.document_id == lonely.id


async def test_a_change_is_kept_and_undone(runtime: Runtime, shop: Shop, clock: Clock) -> None:
    own = shop.organization_id
    made = await add(runtime, shop, "Livraison", "# Délais\n\nUne semaine.")
    clock.advance(minutes=1)
    async with runtime.database.transaction(own) as transaction:
        new = NewDocument("Livraison", "Deux semaines.", tags=("délais",))
        changed = await change_document(transaction, runtime.outbox, made.id, new, clock())
        assert (changed.text, changed.tags, changed.source_kind) == (
            "Deux semaines.",
            ("délais",),
            "text",
        )
        kept = await transaction.all(
            select(passages.c.text).where(passages.c.document_id == made.id)
        )
        assert [row.text for row in kept] == ["Deux semaines."]
        same = await change_document(transaction, runtime.outbox, made.id, new, clock())
        assert same == changed
        (version,) = await list_versions(transaction, made.id)
        assert (version.text, version.reason) == (made.text, "changed")
        with pytest.raises(Conflict):
            await change_document(
                transaction,
                runtime.outbox,
                made.id,
                NewDocument("Livraison", "Trois semaines."),
                clock(),
                if_updated_at=made.updated_at,
            )
        clock.advance(minutes=1)
        back = await restore_version(transaction, runtime.outbox, made.id, version.id, clock())
        assert (back.text, back.tags) == (made.text, ())
        assert len(await list_versions(transaction, made.id)) == 2


async def test_what_is_removed_comes_back_under_its_id(
    runtime: Runtime, shop: Shop, clock: Clock
) -> None:
    own = shop.organization_id
    made = await add(runtime, shop, "Livraison", "Une semaine.")
    clock.advance(minutes=1)
    async with runtime.database.transaction(own) as transaction:
        await remove_document(transaction, runtime.outbox, made.id, clock())
        with pytest.raises(NotFound):
            await read_document(transaction, made.id)
        (removed,) = await list_removed(transaction, 10)
        assert removed.title == "Livraison"
    async with runtime.database.transaction(shop.other_organization_id) as transaction:
        assert await list_removed(transaction, 10) == []
        with pytest.raises(NotFound):
            await restore_version(transaction, runtime.outbox, made.id, removed.id, clock())
    async with runtime.database.transaction(own) as transaction:
        await restore_version(transaction, runtime.outbox, made.id, removed.id, clock())
        back = await read_document(transaction, made.id)
        assert (back.text, back.created_at) == (made.text, made.created_at)
        assert await list_removed(transaction, 10) == []


async def test_no_document_comes_back_beside_its_copy(
    runtime: Runtime, shop: Shop, clock: Clock
) -> None:
    made = await add(runtime, shop, "Livraison", "Une semaine.")
    async with runtime.database.transaction(shop.organization_id) as transaction:
        await remove_document(transaction, runtime.outbox, made.id, clock())
    await add(runtime, shop, "Livraison", "Une semaine.")
    async with runtime.database.transaction(shop.organization_id) as transaction:
        (removed,) = await list_removed(transaction, 10)
        with pytest.raises(Conflict):
            await restore_version(transaction, runtime.outbox, made.id, removed.id, clock())


async def test_documents_are_filtered_and_ordered(
    runtime: Runtime, shop: Shop, clock: Clock
) -> None:
    async with runtime.database.transaction(shop.organization_id) as transaction:
        for new in (
            NewDocument("Zone 100%", "Un.", tags=("prix", "10_%")),
            NewDocument("abc", "Two.", language="en", status="draft"),
            NewDocument("Milieu", "Trois.", tags=("prix", 'mot "clé"'), source_kind="pdf"),
        ):
            await create_document(transaction, runtime.outbox, new, clock())
        await transaction.execute(
            update(documents)
            .where(documents.c.title == "Zone 100%")
            .values(updated_at=clock() + timedelta(hours=1))
        )

        async def titles(sort: str = "newest", **wanted: str) -> list[str]:
            found, _ = await list_documents(
                transaction,
                10,
                0,
                DocumentFilter(**wanted),
                sort,  # type: ignore[arg-type]
            )
            return [one.title for one in found]

        assert await titles() == ["Milieu", "abc", "Zone 100%"]
        assert await titles("title") == ["abc", "Milieu", "Zone 100%"]
        assert (await titles("updated"))[0] == "Zone 100%"
        assert await titles(tag="prix") == ["Milieu", "Zone 100%"]
        assert await titles(tag='mot "clé"') == ["Milieu"]
        assert await titles(tag="1__%") == []
        assert await titles(tag="pri") == []
        assert await titles(status="draft") == ["abc"]
        assert await titles(language="fr", source_kind="pdf") == ["Milieu"]
        assert await titles(search="0%") == ["Zone 100%"]


async def test_one_check_at_a_time_and_none_for_silent_shops(
    runtime: Runtime, shop: Shop, clock: Clock
) -> None:
    own = shop.organization_id
    async with runtime.database.transaction(None, every_organization=True) as transaction:
        await submit_checks(runtime, transaction, clock())
    async with runtime.database.transaction(own) as transaction:
        assert await last_check(transaction) is None
        first: Job = await submit_check(transaction, runtime.outbox, "user:1", clock())
        again = await submit_check(transaction, runtime.outbox, "user:1", clock())
        assert first.id == again.id
        assert (await read_job(transaction, first.id)).state == "queued"
    await ask(runtime, shop.other_organization_id, RENTAL[0])
    async with runtime.database.transaction(None, every_organization=True) as transaction:
        await submit_checks(runtime, transaction, clock())
    async with runtime.database.reading(shop.other_organization_id) as transaction:
        assert await last_check(transaction) is not None
