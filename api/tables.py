"""Every module that declares rows, so that migrations and checks see them all."""

import importlib

TABLE_MODULES = (
    "bot.evaluation.tables",
    "core.outbox",
    "core.tools",
    "knowledge.tables",
    "services.accounts.tables",
    "services.billing.tables",
    "services.catalogue.tables",
    "services.conversations.tables",
    "services.orders.tables",
    "services.tickets.tables",
)

for name in TABLE_MODULES:
    importlib.import_module(name)
