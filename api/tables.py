"""Every module that declares rows, so that migrations and checks see them all."""

import importlib

TABLE_MODULES = (
    "bot.evaluation.tables",
    "core.jobs",
    "core.outbox",
    "core.schedules",
    "core.tools",
    "knowledge.health.tables",
    "knowledge.tables",
    "services.accounts.tables",
    "services.billing.tables",
    "services.catalogue.tables",
    "services.conversations.calls",
    "services.conversations.ratings",
    "services.conversations.tables",
    "services.conversations.word_index_schema",
    "services.monitoring.tables",
    "services.orders.tables",
    "services.privacy.tables",
    "services.tickets.tables",
    "services.uploads.tables",
)

for name in TABLE_MODULES:
    importlib.import_module(name)
