"""The small shop that integration tests talk to, and a clock that they move."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from core.runtime import Runtime
from core.security import Principal, principal_for_role
from services.accounts.customers import NewCustomer, add_customers, find_customer_by_reference
from services.accounts.organizations import create_organization
from services.catalogue.products import NewProduct, Variant, add_products
from services.conversations.conversations import NewConversation, open_conversation
from services.orders.orders import NewOrder, OrderLine, Parcel, add_orders


@dataclass
class Clock:
    """The product's clock, moved by hand; it begins now, because tokens are read in real time."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@dataclass(frozen=True)
class Shop:
    """Two customers with accounts, a visitor and an agent of one shop; a second shop beside."""

    organization_id: UUID
    other_organization_id: UUID
    visitor: Principal
    customer: Principal
    other_customer: Principal
    agent: Principal
    stranger: Principal


async def open_shop(runtime: Runtime) -> Shop:
    """Fill an empty database with two shops."""
    now = runtime.clock()
    async with runtime.database.transaction(None) as transaction:
        first = await create_organization(transaction, "Meuble de France", "meuble", now)
        second = await create_organization(transaction, "Other shop", "other", now)
    await _fill(runtime, second.id)
    customer, other_customer = await _fill(runtime, first.id)
    return Shop(
        organization_id=first.id,
        other_organization_id=second.id,
        visitor=principal_for_role(first.id, "visitor:1", "visitor"),
        customer=_signed_in(first.id, "user:1", customer, "customer@example.com"),
        other_customer=_signed_in(first.id, "user:2", other_customer, "other@example.com"),
        agent=principal_for_role(first.id, "user:3", "agent", email="agent@example.com"),
        stranger=principal_for_role(second.id, "visitor:1", "visitor"),
    )


async def open_chat(runtime: Runtime, principal: Principal) -> UUID:
    """Begin a conversation of a caller; returns its id."""
    new = NewConversation("session_1", principal.actor, principal.customer_id, "web_chat", "fr", 1)
    async with runtime.database.transaction(principal.organization_id) as transaction:
        return (await open_conversation(transaction, new, runtime.clock())).id


def _signed_in(organization_id: UUID, actor: str, customer_id: UUID, email: str) -> Principal:
    # An account has a user id; tools tell people from applications by it.
    return principal_for_role(
        organization_id,
        actor,
        "customer",
        user_id=UUID(int=int(actor[-1])),
        customer_id=customer_id,
        email=email,
    )


async def _fill(runtime: Runtime, organization_id: UUID) -> tuple[UUID, UUID]:
    """The same two customers, product and order in any organization; returns the customers' ids."""
    now = runtime.clock()
    async with runtime.database.transaction(organization_id) as transaction:
        await add_products(transaction, [OSLO], now)
        await add_customers(
            transaction,
            [
                NewCustomer(
                    "CUST123", "Customer@Example.com", "Camille", "Martin", None, None, None, "fr"
                ),
                NewCustomer(
                    "CUST124", "other@example.com", "Julien", "Moreau", None, None, None, "fr"
                ),
            ],
            now,
        )
        first = await find_customer_by_reference(transaction, "CUST123")
        second = await find_customer_by_reference(transaction, "CUST124")
        assert first is not None
        assert second is not None
        await add_orders(transaction, [_order(first.id, first.email, now)])
    return first.id, second.id


def _order(customer_id: UUID, email: str, now: datetime) -> NewOrder:
    return NewOrder(
        number="CMD-2026-000101",
        customer_id=customer_id,
        email=email,
        status="shipped",
        payment="carte bancaire",
        delivery_city="Lyon",
        note=None,
        ordered_at=now - timedelta(days=10),
        lines=(
            OrderLine("CANAPÉ-OSLO-3P-GRIS", "Canapé Oslo 3 places, gris", 1, 129_900),
            OrderLine("COUSSIN-OSLO", "Coussin Oslo", 2, 2_950),
        ),
        parcels=(
            Parcel(
                "TM260010417",
                "TransMeuble",
                "in_transit",
                now.date() + timedelta(days=2),
                ("CANAPÉ-OSLO-3P-GRIS",),
            ),
        ),
    )


OSLO = NewProduct(
    sku="CANAPÉ-OSLO-3P",
    name="Canapé Oslo 3 places",
    name_en="Oslo 3-seater sofa",
    type="canapé",
    range="Oslo",
    category="salon",
    description="Un canapé droit aux lignes douces.",
    price_cents=129_900,
    colours=("gris", "bleu"),
    materials=("tissu", "hêtre"),
    width_cm=210,
    depth_cm=92,
    height_cm=84,
    weight_kg=58.5,
    stock=12,
    delivery_days=10,
    care="Aspirez le tissu.",
    assembly="Pieds à visser.",
    warranty_years=5,
    tags=("scandinave",),
    variants=(
        Variant("CANAPÉ-OSLO-3P-GRIS", "gris", 129_900, 12),
        Variant("CANAPÉ-OSLO-3P-BLEU", "bleu", 134_900, 0),
    ),
    other_dimensions_cm={"seat_height": 43},
)
