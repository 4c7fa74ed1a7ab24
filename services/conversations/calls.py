"""Calls by voice: when, how they ended, how fast each turn was, what was recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Row,
    String,
    delete,
    select,
    update,
)

from core.database import Transaction, UtcDateTime, organization_table
from services.conversations.tables import messages

Carrier = Literal["browser", "twilio"]
# The steps of a turn whose times are kept, in milliseconds from the end of the caller's speech;
# of `barge_in` from the beginning of the speech that interrupts to the silence of the voice.
STEPS = ("transcript", "first_token", "first_audio", "barge_in")
MAXIMUM_LEDGER_TURNS = 20_000

calls = organization_table(
    "calls",
    # Empty until the caller has said something.
    Column("conversation_id", ForeignKey("conversations.id", ondelete="CASCADE"), index=True),
    Column("actor", String(120), nullable=False, index=True),
    Column("carrier", String(20), nullable=False),
    Column("carrier_call_id", String(80), index=True),
    Column("language", String(2), nullable=False),
    Column("ticket_number", String(40)),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    # caller, goodbye, silence, length, transferred, failed, restart or lost.
    Column("end_reason", String(20)),
    data_class="conversation",
    erased_by="deleted with the conversation or by actor",
)

call_turns = organization_table(
    "call_turns",
    Column("call_id", ForeignKey("calls.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("message_id", ForeignKey("messages.id", ondelete="SET NULL")),
    Column("position", Integer, nullable=False),
    Column("speech_ms", Integer, nullable=False),
    Column("transcript_ms", Integer, nullable=False),
    Column("first_token_ms", Integer),
    Column("first_audio_ms", Integer),
    Column("barge_in_ms", Integer),
    Column("interrupted", Boolean, nullable=False),
    # Where the caller's speech begins in the recording; empty where it was not recorded.
    Column("recording_ms", Integer),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_call_turns_newest", "organization_id", "created_at"),
    data_class="trace",
    erased_by="deleted with the call",
)

# Kept by itself, so that no file is left behind when a conversation is deleted sooner.
call_recordings = organization_table(
    "call_recordings",
    Column("call_id", ForeignKey("calls.id", ondelete="SET NULL"), index=True),
    Column("actor", String(120), nullable=False, index=True),
    Column("storage_key", String(200), nullable=False),
    Column("media_type", String(40), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("duration_seconds", Float, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    data_class="recording",
    erased_by="deleted by actor or with the call, with the file",
)


@dataclass(frozen=True)
class NewCall:
    actor: str
    carrier: Carrier
    language: str
    carrier_call_id: str | None = None


@dataclass(frozen=True)
class TurnTimes:
    """What one turn of a call took, in milliseconds; None where it did not come to that.

    `recording_ms` is where the caller's speech begins in the recording.
    """

    position: int
    speech_ms: int
    transcript_ms: int
    first_token_ms: int | None = None
    first_audio_ms: int | None = None
    barge_in_ms: int | None = None
    interrupted: bool = False
    message_id: UUID | None = None
    recording_ms: int | None = None


@dataclass(frozen=True)
class Recording:
    """A call's sound in storage; only where the caller has agreed."""

    id: UUID
    organization_id: UUID
    storage_key: str
    media_type: str
    size_bytes: int
    duration_seconds: float
    created_at: datetime


@dataclass(frozen=True)
class Call:
    """A call as it is shown beside its conversation."""

    id: UUID
    carrier: Carrier
    language: str
    ticket_number: str | None
    started_at: datetime
    ended_at: datetime | None
    end_reason: str | None
    turns: Sequence[TurnTimes] = ()
    recording: Recording | None = None


async def open_call(transaction: Transaction, new: NewCall, now: datetime) -> UUID:
    """Note that a call has begun; returns its id."""
    return await transaction.insert(calls, {**asdict(new), "started_at": now})


async def change_call(transaction: Transaction, call_id: UUID, **values: Any) -> None:
    """Note what became known of a call: its conversation, ticket, language or end."""
    await transaction.execute(update(calls).where(calls.c.id == call_id).values(**values))


async def add_turn(
    transaction: Transaction, call_id: UUID, times: TurnTimes, now: datetime
) -> None:
    """Enter a turn into the ledger."""
    row = {"call_id": call_id, **asdict(times), "created_at": now}
    await transaction.insert(call_turns, row)


async def cut_reply(transaction: Transaction, message_id: UUID, heard: str) -> None:
    """Let a stored reply say what the caller has heard of it; the rest is kept beside it."""
    row = await transaction.first(
        select(messages.c.content, messages.c.attachments).where(messages.c.id == message_id)
    )
    if row is None or "interrupted" in row.attachments:
        return
    attachments = {**row.attachments, "interrupted": True, "unheard_reply": row.content}
    await transaction.execute(
        update(messages)
        .where(messages.c.id == message_id)
        .values(content=f"{heard} …".strip(), attachments=attachments)
    )


async def transcript(transaction: Transaction, conversation_id: UUID) -> list[tuple[str, str]]:
    """Who said what in a conversation, in order: (`user` or `assistant` …, text)."""
    rows = await transaction.all(
        select(messages.c.role, messages.c.content)
        .where(messages.c.conversation_id == conversation_id)
        .order_by(messages.c.sequence)
    )
    return [(row.role, row.content) for row in rows]


async def keep_recording(
    transaction: Transaction, call_id: UUID, actor: str, values: Mapping[str, Any], now: datetime
) -> UUID:
    """Note a recording: `storage_key`, `media_type`, `size_bytes`, `duration_seconds`."""
    row = {"call_id": call_id, "actor": actor, **values, "created_at": now}
    return await transaction.insert(call_recordings, row)


async def forget_recording(transaction: Transaction, id: UUID) -> None:
    """Delete the row of a recording whose file could not be stored."""
    await transaction.execute(delete(call_recordings).where(call_recordings.c.id == id))


async def forget_recordings_of(transaction: Transaction, actor: str) -> list[str]:
    """Delete the rows of a person's recordings; returns the keys of their files."""
    mine = call_recordings.c.actor == actor
    rows = await transaction.all(select(call_recordings.c.storage_key).where(mine))
    await transaction.execute(delete(call_recordings).where(mine))
    return [row.storage_key for row in rows]


async def find_recording(transaction: Transaction, id: UUID) -> Recording | None:
    """A recording by its id, of any organization where the transaction spans all."""
    row = await transaction.first(select(call_recordings).where(call_recordings.c.id == id))
    return _recording(row) if row is not None else None


async def calls_of_conversation(transaction: Transaction, conversation_id: UUID) -> list[Call]:
    """The calls that a conversation was held in, oldest first, with their turns."""
    rows = await transaction.all(
        select(calls).where(calls.c.conversation_id == conversation_id).order_by(calls.c.id)
    )
    if not rows:
        return []
    ids = [row.id for row in rows]
    turns: dict[UUID, list[TurnTimes]] = {}
    for row in await transaction.all(
        select(call_turns).where(call_turns.c.call_id.in_(ids)).order_by(call_turns.c.id)
    ):
        turns.setdefault(row.call_id, []).append(_times(row))
    recordings = {
        row.call_id: _recording(row)
        for row in await transaction.all(
            select(call_recordings).where(call_recordings.c.call_id.in_(ids))
        )
    }
    return [_call(row, turns.get(row.id, ()), recordings.get(row.id)) for row in rows]


async def end_reason_of(transaction: Transaction, carrier_call_id: str) -> str | None:
    """How the call that a carrier names has ended; None while it lasts or where it is unknown."""
    row = await transaction.first(
        select(calls.c.end_reason)
        .where(calls.c.carrier_call_id == carrier_call_id)
        .order_by(calls.c.id.desc())
        .limit(1)
    )
    return row.end_reason if row is not None else None


async def ledger_times(
    transaction: Transaction, since: datetime
) -> tuple[int, Mapping[str, list[int]]]:
    """How many turns there were since a moment, and the times of each step, unordered."""
    rows = await transaction.all(
        select(*(call_turns.c[f"{step}_ms"] for step in STEPS))
        .where(call_turns.c.created_at >= since)
        .order_by(call_turns.c.created_at.desc())
        .limit(MAXIMUM_LEDGER_TURNS)
    )
    columns = zip(*rows, strict=True) if rows else ([] for _ in STEPS)
    times = {
        step: [value for value in column if value is not None]
        for step, column in zip(STEPS, columns, strict=True)
    }
    return len(rows), times


def _times(row: Row[Any]) -> TurnTimes:
    return TurnTimes(**{name: getattr(row, name) for name in TurnTimes.__dataclass_fields__})


def _recording(row: Row[Any]) -> Recording:
    return Recording(**{name: getattr(row, name) for name in Recording.__dataclass_fields__})


def _call(row: Row[Any], turns: Sequence[TurnTimes], recording: Recording | None) -> Call:
    return Call(
        row.id,
        row.carrier,
        row.language,
        row.ticket_number,
        row.started_at,
        row.ended_at,
        row.end_reason,
        turns,
        recording,
    )
