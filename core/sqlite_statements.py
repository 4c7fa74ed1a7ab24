"""What runs a constant statement on SQLite without building it again, and names its errors.

SQLAlchemy compiles a statement once, but prepares each execution anew, which costs ten times what
SQLite takes for it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import exc
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import Delete, Insert, Update
from sqlalchemy.sql.compiler import SQLCompiler

Write = Insert | Update | Delete


@dataclass(frozen=True)
class PreparedWrite:
    """A statement's text, and how each of its values is bound, in order."""

    text: str
    values: tuple[tuple[str, Callable[[Any], Any] | None], ...]
    constants: Mapping[str, Any]

    def bound(self, parameters: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(
            process(self._value(name, parameters)) if process else self._value(name, parameters)
            for name, process in self.values
        )

    def _value(self, name: str, parameters: Mapping[str, Any]) -> Any:
        return parameters[name] if name in parameters else self.constants[name]


@lru_cache(maxsize=1024)
def prepared_write(
    statement: Write, keys: tuple[str, ...], dialect: Dialect
) -> PreparedWrite | None:
    """Compile a constant statement; None where SQLAlchemy must help at each execution."""
    compiled = statement.compile(dialect=dialect, column_keys=list(keys))
    if not isinstance(compiled, SQLCompiler) or compiled.positiontup is None:
        return None
    needs_help = (
        compiled.insert_prefetch
        or compiled.update_prefetch
        or compiled.effective_returning
        or compiled.post_compile_params
        or compiled.literal_execute_params
    )
    if needs_help:
        return None
    processors: Mapping[str, Any] = compiled._bind_processors
    return PreparedWrite(
        compiled.string,
        tuple((name, processors.get(name)) for name in compiled.positiontup),
        {name: value for name, value in compiled.params.items() if name not in keys},
    )


class Translated:
    """Turn the driver's errors into sqlalchemy's, without the values of the statement."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        if isinstance(error, sqlite3.IntegrityError):
            raise exc.IntegrityError(self.text, None, error, hide_parameters=True) from error
        if isinstance(error, sqlite3.OperationalError):
            raise exc.OperationalError(self.text, None, error, hide_parameters=True) from error
        if isinstance(error, sqlite3.Error):
            raise exc.DBAPIError(self.text, None, error, hide_parameters=True) from error
