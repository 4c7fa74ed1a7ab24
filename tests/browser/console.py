"""The agents' console as tests use it: signed in, a conversation open, a customer to talk to."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from playwright.sync_api import Locator, Page

from tests.browser.conftest import Visit
from tests.serving import PASSWORD, Server

AGENT = "agent@example.com"
ADMIN = "admin@example.com"

Visits = Callable[..., Visit]


@dataclass
class Console:
    """An agent's page."""

    visited: Visit

    @property
    def page(self) -> Page:
        return self.visited.page

    @property
    def rows(self) -> Locator:
        return self.page.locator(".list-row")

    @property
    def thread(self) -> Locator:
        return self.page.get_by_role("log")

    @property
    def field(self) -> Locator:
        return self.page.locator("#composer")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def toast(self) -> Locator:
        return self.page.locator(".toast")

    def sign_in(self, email: str) -> None:
        self.page.locator("#email").fill(email)
        self.page.locator("#password").fill(PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.locator(".shell").wait_for()

    def open(self, conversation_id: str) -> None:
        self.page.evaluate("id => { location.hash = `/conversations/all/${id}` }", conversation_id)
        self.thread.locator(".message").first.wait_for()

    def take(self) -> None:
        self.page.locator(".composer-take button").click()
        self.field.wait_for()

    def reply(self, text: str) -> None:
        self.field.fill(text)
        self.page.keyboard.press("Control+Enter")
        self.thread.locator(".message-agent:not(.message-outgoing)", has_text=text).wait_for()


def open_console(visit: Visits, server: Server, email: str = AGENT, **options: object) -> Console:
    """A new browser with the console, signed in."""
    console = Console(visit(f"{server.base_url}/console", **options))
    console.sign_in(email)
    return console


@dataclass
class Customer:
    """A visitor who talks by the API."""

    server: Server
    token: str
    session_id: str

    def say(self, text: str) -> str:
        body = {"message": text, "session_id": self.session_id, "language": "fr"}
        with self._client() as client:
            answer = client.post("/api/chat", json=body)
        answer.raise_for_status()
        return str(answer.json()["response"])

    def history(self) -> str:
        with self._client() as client:
            return client.get("/api/chat/history", params={"session_id": self.session_id}).text

    @contextmanager
    def _client(self) -> Iterator[httpx.Client]:
        with self.server.client() as client:
            client.headers["X-Visitor-Token"] = self.token
            yield client


def new_customer(server: Server) -> Customer:
    with server.client() as client:
        token = str(client.post("/api/chat/visitor").json()["visitor_token"])
    return Customer(server, token, f"console-{uuid.uuid4().hex[:12]}")


def waiting_customer(server: Server, *said: str) -> tuple[Customer, str]:
    """Somebody who has asked for a person, and their conversation's id."""
    customer = new_customer(server)
    for text in (*said, "Je voudrais parler à un conseiller"):
        customer.say(text)
    return customer, newest_conversation(server)


def newest_conversation(server: Server) -> str:
    with server.client(AGENT) as agent:
        found = agent.get("/api/v1/console/conversations", params={"limit": 1}).json()["data"]
    return str(found[0]["id"])
