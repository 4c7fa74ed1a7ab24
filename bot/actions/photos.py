"""Photos that come with messages: received with a kind word, asked for once, never demanded.

What is sent about a ticket that is open already goes to that ticket.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from bot.decisions import FollowForm, Plan, SmallTalk
from bot.forms import is_wordless
from bot.intent_groups import PRODUCT_INTENTS
from bot.messages import ReplyEvent, Sentence, ToolResult
from bot.phrasing import word
from bot.state import Form
from bot.tools.add_to_ticket import AddToTicketResult
from bot.turn import Turn
from bot.understanding.cues import has_cue
from core.errors import SupportError
from services.uploads.advice import missing_photos, photo_problems
from services.uploads.attachments import uploads_of_conversation
from services.uploads.uploads import Upload

CAPTION_WORDS = 8
# More would read like a form to fill in.
ASKED_VIEWS = 2


async def receive(turn: Turn) -> AsyncIterator[ReplyEvent]:
    """Say that files have come; once a conversation, ask for a photo that is easier to see.

    Where a person answers, or is waited for, they go to the open ticket of the conversation; a
    person thanks for them in their own words.
    """
    if not turn.uploads:
        return
    turn.note("files_received", count=len(turn.uploads))
    turn.state = turn.state.but(files_sent=True)
    added = await _add_to_open_ticket(turn) if _is_about_ticket(turn) else None
    if turn.owner == "human":
        return
    if added is None:
        yield turn.say("photos.received")
    else:
        count = len(turn.uploads)
        said = {"ticket_id": added.ticket_id, "count": count}
        yield turn.say("photos.added", tool="add_to_ticket", **said)
        yield ToolResult("add_to_ticket", added.model_dump(mode="json"))
    problems = [problem for upload in turn.uploads for problem in photo_problems(upload)]
    if problems and not turn.state.better_photo_asked:
        turn.state = turn.state.but(better_photo_asked=True)
        turn.note("better_photo_asked", problem=problems[0])
        yield turn.say(f"photos.{problems[0]}")


async def _add_to_open_ticket(turn: Turn) -> AddToTicketResult | None:
    """Add the message's files to the ticket that it names, or the conversation's latest."""
    named = turn.read.entities.ticket_numbers
    arguments = {
        "ticket_number": named[0] if named else None,
        "attachments": [upload.file_id for upload in turn.uploads],
    }
    key = f"{turn.user_message_id}:files"
    try:
        result = await turn.run("add_to_ticket", AddToTicketResult, arguments, key=key)
    except SupportError as error:
        # Somebody changes the ticket just now: the files stay with the message.
        turn.note("tool_refused", tool="add_to_ticket", code=error.code)
        return None
    if result.ticket_id is None:
        return None
    turn.files_are_on_ticket = True
    return result


def _is_about_ticket(turn: Turn) -> bool:
    """Whether files belong to a ticket that may be open, rather than to something new.

    While another ticket is being written they go with that one.
    """
    read, state = turn.read, turn.state
    if not turn.principal.may("tickets:write"):
        return False
    if turn.owner != "bot" or read.entities.ticket_numbers:
        return True
    if any(form is not None and form.name == "ticket" for form in (state.form, state.paused_form)):
        return False
    return _is_caption(turn) or read.intent == "ticket_status" or _shows_what_was_asked(turn)


def _shows_what_was_asked(turn: Turn) -> bool:
    """A message that speaks of its photo, but of no other product or problem."""
    read = turn.read
    if not has_cue(read.folded, "photo") or read.intent in PRODUCT_INTENTS | {"product_search"}:
        return False
    told = bool(read.entities.products or read.entities.types)
    return not (told and read.intent == "support_request")


def caption_plan(turn: Turn) -> Plan | None:
    """What follows a message that only hands over a photo ("voici la photo"); None for others.

    It answers no question and corrects nothing: the form that is being filled asks again.
    """
    if not turn.uploads or not (_is_caption(turn) or _only_shows(turn)):
        return None
    form = turn.state.form
    if form is not None:
        return Plan(FollowForm(form), turn.state)
    if turn.files_are_on_ticket:
        return Plan(SmallTalk("photos.anything_else", "ticket"), turn.state)
    return Plan(SmallTalk("photos.what_for"), turn.state)


def _only_shows(turn: Turn) -> bool:
    """Whether the files went to their ticket and the words ask for nothing else."""
    named = has_cue(turn.read.folded, "photo")
    return turn.files_are_on_ticket and named and not turn.read.is_question


def _is_caption(turn: Turn) -> bool:
    read = turn.read
    if is_wordless(read):
        return True
    few = len(read.text.split()) <= CAPTION_WORDS
    return few and has_cue(read.folded, "photo") and not (read.entities_present or read.is_question)


async def photo_lines(turn: Turn, form: Form) -> list[Sentence]:
    """What a ticket's recapitulation says of photos: how many, and once which would help."""
    sent = await _photos_sent(turn) if turn.state.files_sent else []
    lines = [turn.say("photos.count", count=len(sent))] if sent else []
    if form.slots.get("photos_asked"):
        return lines
    category = form.slots.get("category", "autre")
    missing = missing_photos(category, [upload.description for upload in sent])[:ASKED_VIEWS]
    if missing:
        turn.note("photos_asked", views=list(missing))
        views = ", ".join(word(turn.language, "photo_views", view) for view in missing)
        lines.append(turn.say("photos.wanted", views=views))
    return lines


async def _photos_sent(turn: Turn) -> list[Upload]:
    async with turn.runtime.database.reading(turn.principal.organization_id) as transaction:
        return await uploads_of_conversation(transaction, turn.conversation.id)
