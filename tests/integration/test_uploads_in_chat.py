"""Photos in a conversation: received, asked for once, and carried to the ticket."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile

import pytest
from sqlalchemy import select

from bot.assistant import Assistant
from bot.engine import handle
from bot.evaluation.playing import speaker_of
from bot.messages import IncomingMessage, Reply
from channels.desk import take
from core.errors import InvalidRequest
from core.security import Principal, random_token
from services.accounts.sessions import issue_visitor_token
from services.conversations.conversations import read_history
from services.conversations.tables import conversations
from services.tickets.tickets import find_ticket
from services.uploads.attachments import uploads_of_tickets
from services.uploads.uploads import keep_upload
from tests.pictures import blurred, dark, encoded, photo
from tests.product import OpenProduct


@dataclass
class Chat:
    """A visitor's conversation with the product, without a language model."""

    product: OpenProduct
    principal: Principal
    session: str = field(default_factory=lambda: random_token("photos_"))

    def send(self, content: bytes, description: str = "") -> str:
        async def keep() -> str:
            with TemporaryFile() as file:
                file.write(content)
                file.seek(0)
                upload = await keep_upload(
                    self.product.runtime, self.principal, file, "image/jpeg", description
                )
            return upload.file_id

        return self.product.call(keep())

    def say(self, text: str, *file_ids: str) -> Reply:
        async def say() -> Reply:
            runtime, reply = self.product.runtime, Reply()
            message = IncomingMessage(self.principal, self.session, text, attachments=file_ids)
            async for event in handle(message, runtime.part(Assistant), runtime):
                reply.add(event)
            return reply

        return self.product.call(say())

    async def taken(self) -> None:
        """Let an agent of the shop take the conversation."""
        runtime, organization_id = self.product.runtime, self.product.organization_id
        async with runtime.database.reading(organization_id) as transaction:
            id = await transaction.scalar(
                select(conversations.c.id).where(conversations.c.session_id == self.session)
            )
        await take(runtime, await speaker_of(runtime, organization_id, "agent@example.com"), id)


@pytest.fixture
def chat(product: OpenProduct) -> Chat:
    return Chat(product, issue_visitor_token(product.runtime, product.organization_id)[1])


PROBLEM = "L'accoudoir de mon canapé Oslo est déchiré, c'est un défaut de fabrication"


def test_the_ticket_takes_the_photos_of_the_conversation(chat: Chat) -> None:
    close_up = chat.send(photo(), "Gros plan de la déchirure")
    reply = chat.say(PROBLEM, close_up)
    assert "J’ai bien reçu votre fichier" in reply.text
    reply = chat.say("camille@example.com")
    assert "Fichiers joints : 1." in reply.text
    assert "une photo du produit en entier, une photo de l’étiquette" in reply.text
    assert reply.sentences[-1].text.startswith("Dois-je ouvrir le ticket")
    whole = chat.send(photo())
    reply = chat.say("voici la photo", whole)
    assert "Fichiers joints : 2." in reply.text
    assert "Pour aider nos équipes" not in reply.text
    reply = chat.say("oui")
    assert "Fichiers joints au ticket : 2." in reply.text
    result = reply.tool_results[0]["result"]
    assert result["attachments"] == [close_up, whole]

    async def on_ticket() -> list[str]:
        database = chat.product.runtime.database
        async with database.reading(chat.product.organization_id) as transaction:
            ticket = await find_ticket(transaction, result["ticket_id"], principal=chat.principal)
            found = await uploads_of_tickets(transaction, [ticket.id])
        return [upload.file_id for upload in found[ticket.id]]

    assert chat.product.call(on_ticket()) == [close_up, whole]


def test_a_photo_that_comes_while_a_person_answers_joins_the_open_ticket(chat: Chat) -> None:
    chat.say(PROBLEM)
    chat.say("camille@example.com")
    number = chat.say("oui").tool_results[0]["result"]["ticket_id"]
    chat.say("je veux parler à un conseiller")
    waiting, taken = chat.send(photo()), chat.send(photo())
    assert number in chat.say("je viens de la prendre", waiting).text
    chat.product.call(chat.taken())
    assert "Fichiers" not in chat.say("et celle-ci", taken).text, "a person thanks for it"

    async def on_ticket() -> list[str]:
        database = chat.product.runtime.database
        async with database.reading(chat.product.organization_id) as transaction:
            ticket = await find_ticket(transaction, number, principal=chat.principal)
            found = await uploads_of_tickets(transaction, [ticket.id])
        return [upload.file_id for upload in found.get(ticket.id, [])]

    assert chat.product.call(on_ticket()) == [waiting, taken]


def test_photos_are_asked_for_once_and_a_ticket_opens_without(chat: Chat) -> None:
    chat.say(PROBLEM)
    asked = chat.say("camille@example.com")
    assert asked.text.count("Pour aider nos équipes") == 1
    again = chat.say("c'est urgent")
    assert "Dois-je ouvrir le ticket" in again.text
    assert "Pour aider nos équipes" not in again.text
    assert "est ouvert" in chat.say("oui").text


def test_a_second_ticket_takes_no_photo_of_the_first(chat: Chat) -> None:
    chat.say(PROBLEM, chat.send(photo()))
    chat.say("camille@example.com")
    chat.say("oui")
    chat.say("Il manque aussi des vis pour ma table Fjord")
    reply = chat.say("oui")
    assert reply.tool_results, reply.text
    assert reply.tool_results[0]["result"]["attachments"] == []


@pytest.mark.parametrize(("picture", "word"), [(dark(), "sombre"), (blurred(), "floue")])
def test_a_better_photo_is_asked_for_once(chat: Chat, picture: object, word: str) -> None:
    bad = encoded(picture)  # type: ignore[arg-type]
    first = chat.say(PROBLEM, chat.send(bad))
    assert word in first.text
    assert word not in chat.say("encore une photo", chat.send(bad)).text


def test_a_sharp_and_bright_photo_needs_no_better_one(chat: Chat) -> None:
    reply = chat.say(PROBLEM, chat.send(photo()))
    assert "sombre" not in reply.text
    assert "floue" not in reply.text


def test_a_photo_alone_is_asked_about(chat: Chat) -> None:
    assert "Que se passe-t-il" in chat.say("📷", chat.send(photo())).text


def test_a_message_takes_nobody_elses_file(chat: Chat, product: OpenProduct) -> None:
    other = Chat(product, issue_visitor_token(product.runtime, product.organization_id)[1])
    theirs = other.send(photo())
    with pytest.raises(InvalidRequest):
        chat.say(PROBLEM, theirs)

    async def messages() -> int:
        async with product.runtime.database.reading(product.organization_id) as transaction:
            return (await read_history(transaction, chat.principal.actor, None, 20, 0))[1]

    assert product.call(messages()) == 0


def test_a_folder_holds_what_was_sent(chat: Chat) -> None:
    file_id = chat.send(photo())
    folder: Path = chat.product.runtime.storage.folder  # type: ignore[attr-defined]
    names = sorted(path.name for path in folder.rglob(f"{file_id}*"))
    assert names == [f"{file_id}.jpg", f"{file_id}_thumbnail.jpg"]
