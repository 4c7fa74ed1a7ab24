"""The real databases of the integration tests, for faults that need no server."""

from tests.integration.conftest import (
    clock,
    database_url,
    postgresql_folder,
    runtime,
    shop,
    sqlite_template,
)

__all__ = ["clock", "database_url", "postgresql_folder", "runtime", "shop", "sqlite_template"]
