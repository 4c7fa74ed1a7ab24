"""The `mdf` command: serve the product, talk to it, look after it.

Results go to standard output, progress and problems to standard error. Exit codes: 0 done,
1 failed, 2 used wrongly. Each command imports what it needs when it runs, so that `--help` and
short commands answer at once.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.output import EXIT_USAGE, fail

if TYPE_CHECKING:
    from core.settings import Settings

STARTED = time.monotonic()

application = typer.Typer(
    name="mdf",
    help="A customer-support assistant: answers with proof, acts through tools, hands over.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
knowledge = typer.Typer(help="What the shop knows: add, list and search documents.")
application.add_typer(knowledge, name="knowledge", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON for scripts.")]
Server = Annotated[str | None, typer.Option(help="A running server, such as http://host:8000.")]
Files = Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, readable=True)]
TestFiles = Annotated[list[Path] | None, typer.Argument(exists=True, dir_okay=False, readable=True)]


def _settings(host: str | None = None, port: int | None = None) -> Settings:
    """The settings of this process; those that are wrong end the command with their names."""
    from pydantic import ValidationError

    from core.settings import Settings
    from core.telemetry import configure_logging

    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    try:
        settings = Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        problems = [
            f"{'.'.join(map(str, problem['loc'])).upper() or 'settings'}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        ]
        raise fail("; ".join(problems), EXIT_USAGE) from error
    configure_logging(settings.log_level, settings.log_format)
    return settings


@application.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (PORT).")] = None,
    seed: Annotated[
        bool, typer.Option("--seed", help="In development, first fill an empty database.")
    ] = False,
    processes: Annotated[
        int, typer.Option(min=1, max=64, help="With PostgreSQL, Redis and a Chroma server.")
    ] = 1,
) -> None:
    """Serve the product over HTTP until interrupted."""
    from api.commands.serve import serve

    serve(_settings(host, port), seed=seed, started=STARTED, processes=processes)


@application.command(hidden=True)
def serve_process(listener: int, alive: int, ready: int) -> None:
    """One process of `mdf serve --processes`; takes the descriptors that its parent hands over."""
    from api.commands.supervise import serve_process

    serve_process(_settings(), listener, alive, ready)


@application.command()
def worker() -> None:
    """Do background work beside the servers, with PostgreSQL, until interrupted."""
    from api.commands.worker import work

    work(_settings())


@application.command()
def chat(
    debug: Annotated[bool, typer.Option(help="Show intent, confidence and sources.")] = False,
    language: Annotated[str, typer.Option(help="fr, en, es, de, it or nl.")] = "fr",
    email: Annotated[str | None, typer.Option(help="Sign in as this account.")] = None,
    password: Annotated[
        str | None, typer.Option(help="Its password (asked for if absent).")
    ] = None,
    server: Server = None,
) -> None:
    """Talk to the assistant in this terminal, through a running server or without one."""
    from api.commands.chat import chat

    if email is not None and password is None:
        password = typer.prompt("Password", hide_input=True, err=True)
    account = (email, password or "") if email is not None else None
    chat(_settings(), server=server, language=language, account=account, debug=debug)


@application.command()
def seed(
    index: Annotated[
        bool, typer.Option("--index", help="Index it here and now, where no server runs.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Load the sample shop and its demo accounts (development only); harmless when repeated."""
    from api.commands.seed import seed

    seed(_settings(), index=index, as_json=as_json)


@application.command()
def shop(
    name: str,
    email: Annotated[str, typer.Option(help="Address of the owner's account.")],
    password_input: Annotated[
        bool, typer.Option("--password-input", help="Read it from standard input; else ask.")
    ] = False,
) -> None:
    """Make the first shop of a database, and the account that owns it."""
    from api.commands.shop import shop

    if password_input:
        password = typer.get_text_stream("stdin").readline().rstrip("\n")
    else:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    shop(_settings(), name, email, password)


@knowledge.command("add")
def knowledge_add(
    files: Files,
    language: Annotated[
        str | None, typer.Option(help="Of the documents; found out if left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add Markdown, HTML, PDF, DOCX or CSV files; the server indexes them within seconds."""
    from api.commands.knowledge import add

    add(_settings(), files, language=language, as_json=as_json)


@knowledge.command("list")
def knowledge_list(as_json: AsJson = False) -> None:
    """List the documents."""
    from api.commands.knowledge import list_all

    list_all(_settings(), as_json=as_json)


@knowledge.command("search")
def knowledge_search(
    question: str,
    limit: Annotated[int, typer.Option(min=1, max=20, help="How many documents.")] = 5,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Search the documents as the assistant does."""
    from api.commands.knowledge import search

    search(_settings(), question, limit=limit, server=server, as_json=as_json)


@application.command("eval")
def evaluate(
    files: TestFiles = None,
    stored: Annotated[
        bool, typer.Option("--stored", help="Also play the tests made from corrected answers.")
    ] = False,
    repeat: Annotated[
        int, typer.Option(min=1, max=100, help="Plays of each test; 4 and more give pass^4.")
    ] = 1,
    compare: Annotated[
        Path | None,
        typer.Option(exists=True, help="A folder of phrases or a file of settings beside these."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write a report to this file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Play conversation tests on a copy of the shop; fails when one of them does."""
    from api.commands.evaluate import Request, evaluate

    request = Request(files or [], stored, repeat, html, compare)
    evaluate(_settings(), request, as_json=as_json)


@application.command()
def openapi(
    check: Annotated[bool, typer.Option("--check", help="Only compare; fail on a change.")] = False,
) -> None:
    """Write docs/openapi.json from the application."""
    from api.commands.documents import write_openapi

    write_openapi(check=check)


@application.command()
def configuration(
    check: Annotated[bool, typer.Option("--check", help="Only compare; fail on a change.")] = False,
) -> None:
    """Write the table of settings into docs/configuration.md."""
    from api.commands.documents import write_configuration

    write_configuration(check=check)


@application.command()
def doctor(as_json: AsJson = False) -> None:
    """Check settings, database, encoder, vectors, port and disk; say what to do."""
    from api.commands.doctor import doctor

    doctor(_settings(), as_json=as_json)


def main() -> None:
    """Entry point of the installed `mdf` command."""
    application()


if __name__ == "__main__":
    main()
