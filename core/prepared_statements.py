"""What runs a constant statement without building it again: its text, and how values are bound.

SQLAlchemy compiles a statement once, but prepares each execution anew, which costs ten times what
the database takes for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from sqlalchemy import Float, Row
from sqlalchemy.engine import Dialect, Result
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.sql import Delete, Insert, Select, Update
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

# As PostgreSQL's catalogue numbers its type of floats.
FLOAT8 = 701

Write = Insert | Update | Delete
Process = Callable[[Any], Any] | None
# Is told the text of a statement that ran, and the seconds that it took.
Observer = Callable[[str, float], None]


@dataclass(frozen=True)
class PreparedStatement:
    """A statement's text, and how each of its values is bound, in order.

    Of a select, `columns` says what each column is called and how its values are read.
    """

    text: str
    values: tuple[tuple[str, Process], ...]
    constants: Mapping[str, Any]
    columns: tuple[tuple[str, Process], ...] = ()

    def bound(self, parameters: Mapping[str, Any]) -> tuple[Any, ...]:
        given = {**self.constants, **parameters} if self.constants else parameters
        return tuple(
            [process(given[name]) if process else given[name] for name, process in self.values]
        )

    def rows(self, found: Iterable[Sequence[Any]]) -> Sequence[Row[Any]]:
        """What the driver returned, as SQLAlchemy would have."""
        read = [
            tuple(
                process(value) if process else value
                for (_, process), value in zip(self.columns, values, strict=True)
            )
            for values in found
        ]
        result: Result[Any] = IteratorResult(self._named, iter(read))
        return result.all()

    @cached_property
    def _named(self) -> SimpleResultMetaData:
        return SimpleResultMetaData([name for name, _ in self.columns])


@lru_cache(maxsize=1024)
def prepared(
    statement: Write | Select[Any], keys: tuple[str, ...], dialect: Dialect
) -> PreparedStatement | None:
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
    return PreparedStatement(
        compiled.string,
        tuple((name, processors.get(name)) for name in compiled.positiontup),
        {name: value for name, value in compiled.params.items() if name not in keys},
        tuple(
            (column.keyname, column.type._cached_result_processor(dialect, _code(column.type)))
            for column in compiled._result_columns
        )
        if isinstance(statement, Select)
        else (),
    )


def _code(type: TypeEngine[Any]) -> int | None:
    """PostgreSQL's number of a column's type, where SQLAlchemy asks the driver for it."""
    return FLOAT8 if isinstance(type, Float) else None
