"""Which process answers a conversation now, and which message is next, where there are several?

A turn holds a lease on its conversation: taken in the transaction that stores the message, given
back in the one that stores the reply, so that it costs no statement of its own. A process that
dies leaves a lease that ends after `LEASE_SECONDS`; a long turn renews it. Messages that find the
lease taken stand in line as rows of `conversation_waiters`, and nobody passes them.

A conversation without `lease_holder` belongs to the only process: an embedded database.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import bindparam, delete, or_, select, update

from core.database import Transaction
from core.errors import Conflict
from services.conversations.tables import conversation_waiters, conversations

LEASE_SECONDS = 10
RENEW_SECONDS = 3.0
# A waiter that has not looked for so long is gone.
WAITER_SECONDS = 3


class Leasable(Protocol):
    """What of a conversation a lease needs."""

    @property
    def id(self) -> UUID: ...

    @property
    def lease_holder(self) -> str | None: ...

    @property
    def next_sequence(self) -> int: ...


class LeaseTaken(Exception):
    """Another turn of the conversation is in progress, or others wait before this one."""

    def __init__(self, conversation_id: UUID) -> None:
        super().__init__(str(conversation_id))
        self.conversation_id = conversation_id


class LeaseLost(Conflict):
    """The turn took so long without a sign of life that another has taken its place."""

    def __init__(self) -> None:
        super().__init__("This message is answered elsewhere; send it again with the same id.")


def new_holder() -> str:
    """A name for one turn, unlike any other."""
    return secrets.token_hex(16)


_TAKE_LEASE = (
    update(conversations)
    .where(conversations.c.id == bindparam("of_conversation"))
    .where(
        or_(
            conversations.c.lease_holder.is_(None),
            conversations.c.lease_until < bindparam("of_now"),
            conversations.c.lease_holder == bindparam("of_holder"),
        )
    )
    .where(
        or_(
            conversations.c.waiting_until.is_(None),
            conversations.c.waiting_until < bindparam("of_now"),
            conversations.c.next_holder == bindparam("of_holder"),
        )
    )
)
_TAKE_LEASE_AND_NUMBER = _TAKE_LEASE.where(
    conversations.c.next_sequence == bindparam("of_sequence")
)


def leased(holder: str | None, now: datetime) -> dict[str, Any]:
    """The columns of a conversation that a holder has; none without a holder."""
    if holder is None:
        return {}
    return {"lease_holder": holder, "lease_until": now + timedelta(seconds=LEASE_SECONDS)}


def _taking(conversation: Leasable, now: datetime) -> dict[str, Any]:
    holder = conversation.lease_holder
    of = {"of_conversation": conversation.id, "of_holder": holder, "of_now": now}
    return {**of, **leased(holder, now), "updated_at": now}


async def take_lease(transaction: Transaction, conversation: Leasable, now: datetime) -> None:
    """Take a conversation for its `lease_holder`.

    The caller holds the row's lock. Raises LeaseTaken; does nothing without a holder.
    """
    if conversation.lease_holder is None:
        return
    taken = await transaction.execute(_TAKE_LEASE, _taking(conversation, now))
    if taken.rowcount != 1:
        raise LeaseTaken(conversation.id)


async def take_lease_later(
    transaction: Transaction, conversation: Leasable, now: datetime, next_sequence: int
) -> None:
    """Take a conversation for its `lease_holder`, and the numbers up to `next_sequence`.

    The transaction ends in NothingChanged where another has it, or has taken numbers since the
    conversation was read.
    """
    numbers = {"of_sequence": conversation.next_sequence, "next_sequence": next_sequence}
    taking = {**_taking(conversation, now), **numbers}
    await transaction.later(_TAKE_LEASE_AND_NUMBER, taking, must_change=True)


async def renew_lease(transaction: Transaction, actor: str, holder: str, now: datetime) -> bool:
    """Keep a lease for another while; False where it has been lost."""
    renewed = await transaction.execute(
        update(conversations)
        .where(conversations.c.actor == actor, conversations.c.lease_holder == holder)
        .values(lease_until=now + timedelta(seconds=LEASE_SECONDS))
    )
    return renewed.rowcount == 1


async def give_back_lease(transaction: Transaction, actor: str, holder: str) -> None:
    """End a lease whose turn has failed."""
    await transaction.execute(
        update(conversations)
        .where(conversations.c.actor == actor, conversations.c.lease_holder == holder)
        .values(lease_holder=None)
    )


async def stand_in_line(
    transaction: Transaction, conversation_id: UUID, holder: str, now: datetime
) -> None:
    """Wait for a conversation behind those who wait already."""
    until = now + timedelta(seconds=WAITER_SECONDS)
    await transaction.insert(
        conversation_waiters,
        {"conversation_id": conversation_id, "holder": holder, "expires_at": until},
    )
    await transaction.execute(
        update(conversations)
        .where(conversations.c.id == conversation_id)
        .values(waiting_until=until)
    )


async def is_first_in_line(
    transaction: Transaction, conversation_id: UUID, holder: str, now: datetime
) -> bool:
    """Whether it is this one's turn; tells those behind that it still waits."""
    until = now + timedelta(seconds=WAITER_SECONDS)
    await transaction.execute(
        update(conversation_waiters)
        .where(conversation_waiters.c.holder == holder)
        .values(expires_at=until)
    )
    first = await transaction.scalar(
        select(conversation_waiters.c.holder)
        .where(conversation_waiters.c.conversation_id == conversation_id)
        .where(conversation_waiters.c.expires_at >= now)
        .order_by(conversation_waiters.c.id)
        .limit(1)
    )
    if first != holder:
        return False
    await transaction.execute(
        update(conversations)
        .where(conversations.c.id == conversation_id)
        .values(next_holder=holder, waiting_until=until)
    )
    return True


async def leave_line(transaction: Transaction, conversation_id: UUID, holder: str) -> None:
    """Wait no longer; the last to leave lets newcomers in again."""
    waiters = conversation_waiters.c
    await transaction.execute(delete(conversation_waiters).where(waiters.holder == holder))
    others = await transaction.first(
        select(waiters.id).where(waiters.conversation_id == conversation_id).limit(1)
    )
    if others is None:
        await transaction.execute(
            update(conversations)
            .where(conversations.c.id == conversation_id)
            .values(next_holder=None, waiting_until=None)
        )
