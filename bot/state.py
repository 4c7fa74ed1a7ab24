"""What the assistant remembers of a conversation between two messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any


@dataclass(frozen=True)
class Form:
    """A task that is being filled slot by slot.

    `asked` is the slot that the last reply asked for, `attempts` how often in a row;
    `confirming` says that the recapitulation has been shown; `key` makes its effect happen once;
    `heard` what became of an answer that did not answer: noted, incomplete, asked_why, upset,
    no_number.
    """

    name: str
    slots: Mapping[str, Any] = field(default_factory=dict)
    asked: str | None = None
    attempts: int = 0
    confirming: bool = False
    key: str = ""
    heard: str = ""

    def with_slots(self, **slots: Any) -> Form:
        """The form with these slots set; None leaves a slot as it is."""
        filled = {name: value for name, value in slots.items() if value is not None}
        return replace(self, slots={**self.slots, **filled})


@dataclass(frozen=True)
class DialogueState:
    """Plain data, stored with the conversation as JSON."""

    turn: int = 0
    form: Form | None = None
    paused_form: Form | None = None
    clarifying: tuple[str, ...] = ()
    clarified_text: str = ""
    handoff_offered: bool = False
    shown_skus: tuple[str, ...] = ()
    shown_from_cents: int | None = None
    focus_sku: str | None = None
    search: Mapping[str, Any] = field(default_factory=dict)
    last_intent: str | None = None
    last_question: str = ""
    failures: int = 0
    order_number: str | None = None
    email: str | None = None
    ticket_ids: tuple[str, ...] = ()
    better_photo_asked: bool = False
    # Whether files may have come with an earlier message.
    files_sent: bool = False
    # What a language model has been told of earlier messages, and the last of those.
    summary: str = ""
    summarised_until: str = ""

    def as_json(self) -> dict[str, Any]:
        """The fields; what they hold is not copied, so it must not be changed."""
        forms = {"form": self.form, "paused_form": self.paused_form}
        return vars(self) | {name: form and dict(vars(form)) for name, form in forms.items()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> DialogueState:
        """Read a stored state; fields of another release are dropped, missing ones default."""
        known = {item.name for item in fields(cls)}
        values = {name: value for name, value in stored.items() if name in known}
        if stored:
            # An earlier release did not tell.
            values.setdefault("files_sent", True)
        for name in ("form", "paused_form"):
            if values.get(name) is not None:
                values[name] = Form(**values[name])
        for name in ("clarifying", "shown_skus", "ticket_ids"):
            if name in values:
                values[name] = tuple(values[name])
        return cls(**values)

    def but(self, **changes: Any) -> DialogueState:
        return replace(self, **changes)
