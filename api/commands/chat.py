"""`mdf chat`: a conversation in the terminal."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import httpx
from rich.markup import escape

from api.commands.client import call, product_client
from api.commands.output import progress, results
from core.settings import Settings

Account = tuple[str, str]

PROMPT = "> "


def chat(
    settings: Settings, *, server: str | None, language: str, account: Account | None, debug: bool
) -> None:
    """Read messages from standard input until its end, and write the assistant's answers."""
    try:
        asyncio.run(_chat(settings, server, language, account, debug))
    except KeyboardInterrupt:
        progress.print()


async def _chat(
    settings: Settings, server: str | None, language: str, account: Account | None, debug: bool
) -> None:
    async with product_client(settings, server) as client:
        if account is not None:
            await _sign_in(client, account)
        session_id = f"terminal_{uuid4().hex}"
        progress.print(f"[dim]{client.base_url} · end with Ctrl-D[/dim]")
        while (message := await asyncio.to_thread(_read_message)) is not None:
            if message.strip():
                body = {"message": message, "language": language, "session_id": session_id}
                answer = await call(client, "POST", "/api/chat", json=body)
                _keep_visitor(client, answer)
                _show(answer, debug)


def _read_message() -> str | None:
    """The next line; None at the end of the input."""
    try:
        return input(PROMPT)
    except EOFError:
        return None


async def _sign_in(client: httpx.AsyncClient, account: Account) -> None:
    email, password = account
    body = await call(
        client, "POST", "/api/auth/login", json={"email": email, "password": password}
    )
    client.headers["Authorization"] = f"Bearer {body['access_token']}"


def _keep_visitor(client: httpx.AsyncClient, answer: dict[str, Any]) -> None:
    """An anonymous conversation is opened again only with the token of its first answer."""
    token = answer.get("visitor_token")
    if token and "Authorization" not in client.headers:
        client.headers["X-Visitor-Token"] = str(token)


def _show(answer: dict[str, Any], debug: bool) -> None:
    results.print(escape(str(answer["response"])))
    for product in answer.get("products") or []:
        line = f"  · {product['name']} — {product['price']:.2f} € ({product['sku']})"
        results.print(escape(line))
    suggestions = answer.get("suggestions") or []
    if suggestions:
        results.print(f"[dim]  {escape(' · '.join(suggestions))}[/dim]")
    if debug:
        _show_reasons(answer)


def _show_reasons(answer: dict[str, Any]) -> None:
    results.print(
        f"[cyan]  intent {answer['intent']} ({answer['confidence']:.2f})"
        f" · language {answer['language']}[/cyan]"
    )
    for source in answer.get("sources") or []:
        line = f"  source {source['score']:.2f} {source['title']}: « {source['quote']} »"
        results.print(f"[cyan]{escape(line)}[/cyan]")
    for result in answer.get("tool_results") or []:
        results.print(f"[cyan]  tool {escape(str(result))}[/cyan]")
