"""The single door to any effect: how a tool is declared, and how it is run.

A tool is defined once: a Pydantic model of its arguments, one of its result, and one async
function with a docstring. `run_tool` validates, checks the permission, asks for confirmation
where needed, keeps to the time limit, runs an effect in one transaction with its audit row, and
answers a repeated idempotency key with the first result.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import BaseModel, ValidationError
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Integer,
    String,
    UniqueConstraint,
    Uuid,
    select,
)
from sqlalchemy.exc import IntegrityError

from core.database import Transaction, UtcDateTime, organization_table
from core.errors import Conflict, DeadlineExceeded, InvalidRequest, SupportError
from core.security import Principal
from core.telemetry import TOOL_RUNS, TOOL_SECONDS, logger

if TYPE_CHECKING:
    from core.runtime import Runtime

AuditRow = Mapping[str, Any]

tool_runs = organization_table(
    "tool_runs",
    Column("tool", String(80), nullable=False),
    Column("actor", String(120), nullable=False, index=True),
    Column("conversation_id", Uuid, index=True),
    Column("effect", Boolean, nullable=False),
    Column("outcome", String(40), nullable=False),
    Column("arguments", JSON, nullable=False),
    Column("result", JSON),
    Column("idempotency_key", String(200)),
    Column("duration_ms", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("organization_id", "actor", "tool", "idempotency_key"),
    data_class="audit",
    erased_by="arguments and result are emptied by actor and conversation",
    organization_index=False,
)


@dataclass(frozen=True)
class ToolContext:
    """What a tool's function is given beside its arguments.

    `transaction` is open for an effect and None for a read, which opens its own short ones with
    `reading()`.
    """

    runtime: Runtime
    principal: Principal
    conversation_id: UUID | None
    language: str
    transaction: Transaction | None = None

    @property
    def effect(self) -> Transaction:
        """The open transaction of an effect."""
        if self.transaction is None:
            raise TypeError("this tool is declared as a read; it has no open transaction")
        return self.transaction

    def reading(self) -> AbstractAsyncContextManager[Transaction]:
        return self.runtime.database.reading(self.principal.organization_id)


@dataclass(frozen=True)
class Tool:
    """One thing that the assistant can do."""

    name: str
    arguments: type[BaseModel]
    result: type[BaseModel]
    run: Callable[[ToolContext, Any], Awaitable[BaseModel]]
    permission: str
    effect: bool = False
    confirmed: bool = False
    timeout_seconds: float = 10.0

    @property
    def description(self) -> str:
        return (self.run.__doc__ or "").strip()


def tool_registry(tools: Iterable[Tool]) -> Mapping[str, Tool]:
    """Tools by name; two of one name are a mistake."""
    registry: dict[str, Tool] = {}
    for tool in tools:
        if tool.name in registry:
            raise ValueError(f"two tools are named {tool.name}")
        registry[tool.name] = tool
    return registry


class ConfirmationRequired(Conflict):
    """The tool has an effect that the person must agree to first."""

    code = "confirmation_required"


async def run_tool(
    runtime: Runtime,
    principal: Principal,
    tool: Tool,
    arguments: Mapping[str, Any] | BaseModel,
    *,
    conversation_id: UUID | None = None,
    language: str = "fr",
    confirmed: bool = False,
    idempotency_key: str | None = None,
    audit: list[AuditRow] | None = None,
) -> BaseModel:
    """Run a tool for a caller and return its result.

    Raises InvalidRequest (arguments), PermissionDenied, ConfirmationRequired, DeadlineExceeded,
    and whatever SupportError the tool raises. Every attempt that passed validation leaves one
    audit row. That of a read goes to `audit` where it is given: a caller that writes soon anyway
    keeps these rows in the same transaction, with `store_audit`.
    """
    parsed = _parse(tool, arguments)
    principal.require(tool.permission)
    if tool.confirmed and not confirmed:
        raise ConfirmationRequired(f"The tool {tool.name} must be confirmed first.")
    context = ToolContext(runtime, principal, conversation_id, language)
    started = time.perf_counter()
    attempt = _Attempt(tool, parsed, context, idempotency_key, started, audit)
    try:
        async with asyncio.timeout(tool.timeout_seconds):
            result = await (_run_effect(attempt) if tool.effect else _run_read(attempt))
    except TimeoutError as error:
        await _record_failure(attempt, "timeout")
        raise DeadlineExceeded(
            f"The tool {tool.name} took longer than {tool.timeout_seconds:g} s."
        ) from error
    except SupportError as error:
        await _record_failure(attempt, error.code)
        raise
    TOOL_RUNS.labels(tool.name, "ok").inc()
    seconds = time.perf_counter() - started
    TOOL_SECONDS.labels(tool.name).observe(seconds)
    if runtime.traces is not None:
        runtime.traces.ended(f"tool {tool.name}", seconds)
    return result


@dataclass(frozen=True)
class _Attempt:
    tool: Tool
    arguments: BaseModel
    context: ToolContext
    idempotency_key: str | None
    started: float
    audit: list[AuditRow] | None

    def row(self, outcome: str, result: BaseModel | None) -> AuditRow:
        """The audit row; the result is kept only where it can be asked for again."""
        keep_result = result is not None and self.tool.effect
        return {
            "tool": self.tool.name,
            "actor": self.context.principal.actor,
            "conversation_id": self.context.conversation_id,
            "effect": self.tool.effect,
            "outcome": outcome,
            "arguments": self.arguments.model_dump(mode="json", exclude_none=True),
            "result": result.model_dump(mode="json") if keep_result and result else None,
            "idempotency_key": self.idempotency_key if outcome == "ok" else None,
            "duration_ms": round((time.perf_counter() - self.started) * 1000),
            "created_at": self.context.runtime.clock(),
        }


def _parse(tool: Tool, arguments: Mapping[str, Any] | BaseModel) -> BaseModel:
    if isinstance(arguments, tool.arguments):
        return arguments
    try:
        return tool.arguments.model_validate(arguments)
    except ValidationError as error:
        problems = [
            {"field": ".".join(map(str, problem["loc"])), "problem": problem["msg"]}
            for problem in error.errors(include_input=False, include_url=False)
        ]
        raise InvalidRequest(
            f"The arguments of {tool.name} are not valid.", {"errors": problems}
        ) from error


async def _run_read(attempt: _Attempt) -> BaseModel:
    context = attempt.context
    result = await attempt.tool.run(context, attempt.arguments)
    if attempt.audit is not None:
        attempt.audit.append(attempt.row("ok", result))
        return result
    async with context.runtime.database.transaction(
        context.principal.organization_id
    ) as transaction:
        await store_audit(transaction, [attempt.row("ok", result)])
    return result


async def store_audit(transaction: Transaction, rows: Iterable[AuditRow]) -> None:
    """Keep the audit rows of tools with what else is written."""
    for row in rows:
        await transaction.insert_later(tool_runs, row)


async def _run_effect(attempt: _Attempt) -> BaseModel:
    """Run an effect with its audit row; of two at once under one key, one runs."""
    try:
        return await _run_once(attempt)
    except IntegrityError:
        if attempt.idempotency_key is None:
            raise
        # The other has committed meanwhile, and ours was rolled back: its result is there now.
        return await _run_once(attempt)


async def _run_once(attempt: _Attempt) -> BaseModel:
    context = attempt.context
    async with context.runtime.database.transaction(
        context.principal.organization_id
    ) as transaction:
        earlier = await _earlier_result(transaction, attempt)
        if earlier is not None:
            return earlier
        result = await attempt.tool.run(
            replace(context, transaction=transaction), attempt.arguments
        )
        await transaction.insert(tool_runs, attempt.row("ok", result))
    return result


async def _earlier_result(transaction: Transaction, attempt: _Attempt) -> BaseModel | None:
    """The result of the same key, if this caller has run this tool under it before.

    Raises Conflict where the key was used with other arguments: two requests share it by mistake.
    """
    if attempt.idempotency_key is None:
        return None
    row = await transaction.first(
        select(tool_runs.c.result, tool_runs.c.arguments).where(
            tool_runs.c.actor == attempt.context.principal.actor,
            tool_runs.c.tool == attempt.tool.name,
            tool_runs.c.idempotency_key == attempt.idempotency_key,
        )
    )
    if row is None:
        return None
    if row.arguments != attempt.row("ok", None)["arguments"]:
        raise Conflict("This idempotency key was used with another request; use a new one.")
    return attempt.tool.result.model_validate(row.result)


async def _record_failure(attempt: _Attempt, outcome: str) -> None:
    TOOL_RUNS.labels(attempt.tool.name, outcome).inc()
    context = attempt.context
    try:
        async with context.runtime.database.transaction(
            context.principal.organization_id
        ) as transaction:
            await store_audit(transaction, [attempt.row(outcome, None)])
    except SupportError:
        logger("core.tools").warning("tool_audit_failed", tool=attempt.tool.name)
