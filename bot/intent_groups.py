"""Which intents are of one kind: asked of documents, of the catalogue, of a person."""

from __future__ import annotations

# Questions that the shop's own articles answer.
KNOWLEDGE_INTENTS = frozenset(
    {
        "delivery_question",
        "order_change",
        "return_request",
        "refund_status",
        "warranty_question",
        "payment_question",
        "invoice_request",
        "store_hours",
        "assembly_question",
        "care_question",
        "design_request",
    }
)
PRODUCT_INTENTS = frozenset({"product_question", "price_question", "stock_question"})
SMALL_TALK = frozenset({"greeting", "thanks", "goodbye", "affirm", "deny"})
# Questions that say more about a product when one is named with them.
PRODUCT_ATTRIBUTE_INTENTS = frozenset(
    {"delivery_question", "warranty_question", "care_question", "assembly_question"}
)
DIGRESSIONS = KNOWLEDGE_INTENTS | PRODUCT_INTENTS | {"product_search"}
# Tasks that differ so much that a wrong guess costs the customer: ask rather than guess.
TASKS = frozenset(
    {"support_request", "order_status", "ticket_status", "product_search", "human_agent"}
)

# With an order number these are about that order's own dates, which rules compute, or its state.
ORDER_INTENTS = frozenset({"return_request", "warranty_question", "refund_status"})
# What only a person can do about an order.
CASE_INTENTS = frozenset(
    {"order_change", "return_request", "refund_status", "payment_question", "invoice_request"}
)
