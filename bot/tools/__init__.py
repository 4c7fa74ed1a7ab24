"""What the assistant can do without any set-up: the built-in tools, by name."""

from bot.tools import (
    add_to_ticket,
    create_ticket,
    handoff,
    knowledge_search,
    order_status,
    product_search,
    ticket_status,
    withdraw_handoff,
)
from core.tools import tool_registry

BUILT_IN_TOOLS = tool_registry(
    module.TOOL
    for module in (
        add_to_ticket,
        create_ticket,
        handoff,
        knowledge_search,
        order_status,
        product_search,
        ticket_status,
        withdraw_handoff,
    )
)
