"""Photos that come with messages: received with a kind word, asked for once, never demanded."""

from __future__ import annotations

from bot.forms import is_wordless
from bot.messages import Sentence
from bot.phrasing import word
from bot.policy import FollowForm, Plan, SmallTalk
from bot.state import Form
from bot.turn import Turn
from bot.understanding.cues import has_cue
from services.uploads.advice import missing_photos, photo_problems
from services.uploads.attachments import uploads_of_conversation

CAPTION_WORDS = 8
# More would read like a form to fill in.
ASKED_VIEWS = 2


def acknowledge(turn: Turn) -> list[Sentence]:
    """Say that files have come; once a conversation, ask for a photo that is easier to see."""
    if not turn.uploads:
        return []
    turn.note("files_received", count=len(turn.uploads))
    said = [turn.say("photos.received")]
    problems = [problem for upload in turn.uploads for problem in photo_problems(upload)]
    if problems and not turn.state.better_photo_asked:
        turn.state = turn.state.but(better_photo_asked=True)
        turn.note("better_photo_asked", problem=problems[0])
        said.append(turn.say(f"photos.{problems[0]}"))
    return said


def caption_plan(turn: Turn) -> Plan | None:
    """What follows a message that only hands over a photo ("voici la photo"); None for others.

    It answers no question and corrects nothing: the form that is being filled asks again.
    """
    if not turn.uploads or not _is_caption(turn):
        return None
    form = turn.state.form
    if form is None:
        return Plan(SmallTalk("photos.what_for"), turn.state)
    return Plan(FollowForm(form), turn.state)


def _is_caption(turn: Turn) -> bool:
    read = turn.read
    if is_wordless(read):
        return True
    few = len(read.text.split()) <= CAPTION_WORDS
    return few and has_cue(read.folded, "photo") and not (read.entities_present or read.is_question)


async def photo_lines(turn: Turn, form: Form) -> list[Sentence]:
    """What a ticket's recapitulation says of photos: how many, and once which would help."""
    async with turn.runtime.database.reading(turn.principal.organization_id) as transaction:
        sent = await uploads_of_conversation(transaction, turn.conversation.id)
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
