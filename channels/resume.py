"""What has a client missed since a frame, and can it be given without a gap?

Frames of the last two minutes are kept as they were sent. What is older, or was lost with a
process, is made anew from the database, where every finished reply is; only the rest of a reply
that had begun to arrive cannot be told apart from what has arrived, and that is said.
"""

from __future__ import annotations

from channels.frames import (
    LAST_POSITION,
    POSITIONS,
    Frame,
    are_contiguous,
    channel_of,
    frame,
    message_frame,
    rebuilt_frames,
)
from core.runtime import Runtime
from core.security import Principal
from services.conversations.stream import StoredMessage, messages_from

MAXIMUM_MESSAGES = 60


async def frames_after(
    runtime: Runtime, principal: Principal, session_id: str, after: int
) -> list[Frame]:
    """The frames of a conversation behind the frame numbered `after`, in order.

    Begins with `continuity_lost` where something cannot be given as it was.
    """
    channel = channel_of(principal.organization_id, principal.actor, session_id)
    recent = await runtime.broadcast.recent(channel)
    kept = sorted(map(Frame.from_bytes, recent), key=lambda one: one.sequence)
    kept = [one for one in kept if one.sequence > 0]
    if any(one.sequence == after for one in kept) and are_contiguous(kept):
        return [one for one in kept if one.sequence > after]
    return await _from_database(runtime, principal, session_id, after, kept)


async def _from_database(
    runtime: Runtime, principal: Principal, session_id: str, after: int, kept: list[Frame]
) -> list[Frame]:
    first, position = divmod(after, POSITIONS)
    in_middle = after > 0 and position != LAST_POSITION
    begin = first if in_middle else first + 1
    async with runtime.database.reading(principal.organization_id) as transaction:
        stored = await messages_from(
            transaction, principal.actor, session_id, begin, MAXIMUM_MESSAGES + 1
        )
    if len(stored) > MAXIMUM_MESSAGES:
        return [_lost(after, "More was said than can be sent again; read the history.")]
    frames = _rebuilt(stored, session_id, after, kept)
    if in_middle and not _knows(stored, first):
        return [_lost(after, "This server does not know the frame to go on from."), *frames]
    if in_middle:
        return [
            _lost(
                after,
                "The rest of this reply was lost; what is stored follows.",
            ),
            *frames,
        ]
    return frames


def _knows(stored: list[StoredMessage], sequence: int) -> bool:
    return any(one.sequence == sequence for one in stored)


def _lost(after: int, detail: str) -> Frame:
    return frame("continuity_lost", after=after, detail=detail)


def _rebuilt(
    stored: list[StoredMessage], session_id: str, after: int, kept: list[Frame]
) -> list[Frame]:
    """Stored messages as frames; of a reply that is not stored, the frames that are kept."""
    replies = {one.reply_to: one for one in stored if one.reply_to is not None}
    # A reply whose question came before what was asked for ends a turn that was seen whole.
    frames: list[Frame] = []
    for one in stored:
        if one.role == "user" and one.id in replies:
            frames += rebuilt_frames(one, replies[one.id], session_id)
        elif one.role == "user":
            frames += _unfinished(one, kept, after)
        elif one.reply_to is None:
            frames.append(message_frame(one))
    return [one for one in frames if one.sequence > after]


def _unfinished(question: StoredMessage, kept: list[Frame], after: int) -> list[Frame]:
    """A message without a reply: on its way, or cut off by the end of a process."""
    present = [
        one for one in kept if one.message_sequence == question.sequence and one.sequence > after
    ]
    if present:
        return present
    return [
        frame(
            "unanswered",
            message_id=str(question.id),
            client_message_id=question.client_message_id,
            detail="This message has no reply yet; send it again under the same "
            "client_message_id to have it answered.",
        )
    ]
