"""Tasks filled slot by slot from what the customer has said: ticket, order, ticket status.

Pure functions: a form goes in with a message, a form comes out. What a slot accepts, when it is
needed and which phrase asks for it stands in `FORMS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

from bot.state import DialogueState, Form
from bot.understanding.cues import consists_of, first_cue, fold, has_cue
from bot.understanding.understand import Understanding
from core.database import new_id

FORM_OF_INTENT = {
    "support_request": "ticket",
    "order_status": "order",
    "ticket_status": "ticket_status",
}
ASK_AT_MOST = 2
MOST_OTHER_ORDERS = 2
LONG_ENOUGH_WORDS = 12
ASKED_BACK_WORDS = 7
LONGEST_DESCRIPTION = 2_000
# An address is begun by any of these, also where it is not complete.
_ADDRESS_BEGUN = re.compile(r"@|\barobase\b|\bat\b|\.\s?(?:fr|com|net|org|be|ch|de|es|it|nl)\b")
# "Annuler" alone is about the form; "annuler ma commande" is about an order, and "vous avez
# annulé ma livraison" tells what went wrong.
BARE_WORDS = 2
TOLD_INTENTS = frozenset({"order_change", "support_request", "delivery_question", "complaint"})


@dataclass(frozen=True)
class Caller:
    """What a form needs to know of the person."""

    signed_in: bool
    email: str | None = None
    # In the queue for a person.
    waits: bool = False


@dataclass(frozen=True)
class Slot:
    """One thing that a form needs.

    `read` takes it from a message (`asked`: it answers our question), `needed` says whether it
    must be asked for.
    """

    name: str
    read: Callable[[Understanding, bool], Mapping[str, Any]]
    needed: Callable[[Form, Caller], bool]


def is_wordless(read: Understanding) -> bool:
    """Whether a message holds neither a letter nor a digit: signs, or pictures."""
    return not any(letter.isalnum() for letter in read.text)


def _read_product(read: Understanding, asked: bool) -> Mapping[str, Any]:
    found = read.entities.products
    if found and read.product_sku:
        return {"product": found[0].name, "product_sku": found[0].sku}
    if len(found) > 1 and (shared := _shared_name(found[0].name, found[1].name)):
        return {"product": shared, "product_sku": ""}
    if found and asked:
        return {"product": read.text.strip()[:120], "product_sku": ""}
    if read.entities.types:
        return {"product": read.entities.types[0], "product_sku": ""}
    if asked and not read.is_question and read.intent not in {"deny", "affirm"}:
        return {"product": read.text.strip()[:120], "product_sku": ""}
    return {}


def _shared_name(first: str, second: str) -> str:
    """What the names of two products that are meant alike begin with: "Chaise Fjord"."""
    words = zip(first.split(), second.split(), strict=False)
    return " ".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], words))


def _read_description(read: Understanding, asked: bool) -> Mapping[str, Any]:
    tells = read.intent == "support_request" and (
        first_cue(read.folded, "categories") is not None
        or len(read.text.split()) >= LONG_ENOUGH_WORDS
    )
    if not (asked or tells) or read.intent in {"affirm", "deny"} or _asks_back(read):
        return {}
    if (read.entities.emails or read.entities.order_numbers) and _is_bare(read):
        return {}
    return {"description": read.text.strip()[:LONGEST_DESCRIPTION], **_read_problem(read)}


def _is_bare(read: Understanding) -> bool:
    return len(read.text.split()) <= BARE_WORDS


def _asks_back(read: Understanding) -> bool:
    """ "Pardon, vous disiez quoi ?" answers nothing."""
    return (
        read.is_question
        and len(read.text.split()) <= ASKED_BACK_WORDS
        and read.intent != "support_request"
        and first_cue(read.folded, "categories") is None
    )


def _read_problem(read: Understanding) -> Mapping[str, Any]:
    values = {
        "category": first_cue(read.folded, "categories"),
        "severity": first_cue(read.folded, "severities"),
    }
    return {name: value for name, value in values.items() if value}


def _read_email(read: Understanding, asked: bool) -> Mapping[str, Any]:
    return {"email": read.entities.emails[0]} if read.entities.emails else {}


def _read_optional_email(read: Understanding, asked: bool) -> Mapping[str, Any]:
    """A ticket can do without an address; a look-up cannot, so there a refusal is no answer."""
    if asked and read.intent == "deny" and not read.entities.emails:
        return {"email": ""}
    return _read_email(read, asked)


def _read_order_number(read: Understanding, asked: bool) -> Mapping[str, Any]:
    """The number of an order, and of others that are asked about with it."""
    number, *others = read.entities.order_numbers or (None,)
    return {"number": number, "others": others[:MOST_OTHER_ORDERS]} if number else {}


def _read_ticket_number(read: Understanding, asked: bool) -> Mapping[str, Any]:
    return {"number": read.entities.ticket_numbers[0]} if read.entities.ticket_numbers else {}


def _always(form: Form, caller: Caller) -> bool:
    return True


def _without_account(form: Form, caller: Caller) -> bool:
    return not caller.signed_in and caller.email is None


def _outside_conversation(form: Form, caller: Caller) -> bool:
    """A ticket opened in this conversation needs no proof, nor does one's own account."""
    return not caller.signed_in and not form.slots.get("own")


FORMS: Mapping[str, tuple[Slot, ...]] = {
    "ticket": (
        Slot("product", _read_product, _always),
        Slot("description", _read_description, _always),
        Slot("email", _read_optional_email, _without_account),
    ),
    "order": (
        Slot("number", _read_order_number, lambda form, caller: not caller.signed_in),
        Slot("email", _read_email, _without_account),
    ),
    "ticket_status": (
        Slot("number", _read_ticket_number, _outside_conversation),
        Slot("email", _read_email, _outside_conversation),
    ),
}
CONFIRMED_FORMS = frozenset({"ticket"})
# What a form waits for after a recapitulation that was not agreed to.
CHANGE = "change"


def start(name: str, state: DialogueState, read: Understanding, caller: Caller) -> Form:
    """Begin a form, or go on with one of the same name, with all that is known already."""
    form = state.form if state.form is not None and state.form.name == name else None
    if form is None:
        form = Form(name, key=str(new_id()))
        if name != "ticket":
            form = form.with_slots(number=state.order_number if name == "order" else None)
        form = form.with_slots(email=state.email)
        if name == "ticket_status" and state.ticket_ids:
            form = form.with_slots(own=True)
    return replace(_with_order(_fill_slots(form, read, asked=None), read), heard="")


def _with_order(form: Form, read: Understanding) -> Form:
    """A ticket with the order that the message names."""
    if form.name != "ticket" or not read.entities.order_numbers:
        return form
    return form.with_slots(order_number=read.entities.order_numbers[0])


def gives_order(form: Form, read: Understanding) -> bool:
    """Whether a message says which order a ticket is about, rather than asks where it is."""
    told = read.entities.order_numbers and not read.is_question
    return bool(form.name == "ticket" and told and not has_cue(read.folded, "tracks"))


def fill(form: Form, read: Understanding, caller: Caller) -> Form:
    """Take from a message whatever the form still needs or corrects.

    `heard` says what was done with a message that leaves the slot open that was asked for.
    """
    if form.asked is not None and _vents(read):
        return replace(form, heard="upset", attempts=form.attempts + 1)
    if form.name == "order" and form.asked == "number" and has_none(form, read):
        return replace(form, heard="no_number", attempts=form.attempts + 1)
    filled = _filled(form, read)
    if form.asked is None or form.asked in filled.slots:
        return replace(filled, heard="")
    if form.name == "ticket" and form.asked == "email":
        return _without_address(form, filled, read)
    return replace(filled, heard="noted" if filled.slots != form.slots else "")


def has_none(form: Form, read: Understanding) -> bool:
    """Whether the number or address that was asked for is not at hand."""
    asked = form.asked in {"number", "email"} and not read.entities_present
    return asked and has_cue(read.folded, "not_at_hand")


def _vents(read: Understanding) -> bool:
    """Nothing but anger: "vous vous moquez de moi !"."""
    told = read.entities_present or first_cue(read.folded, "categories") is not None
    short = len(read.text.split()) <= ASKED_BACK_WORDS
    return short and not told and has_cue(read.folded, "upset")


def _without_address(form: Form, filled: Form, read: Understanding) -> Form:
    """What was said where an address was asked for: a part of one, a "why?", or more to tell."""
    if filled.slots != form.slots:
        return replace(filled, heard="noted", attempts=form.attempts + 1)
    if _ADDRESS_BEGUN.search(read.folded) or is_wordless(read):
        return replace(filled, heard="incomplete")
    if read.is_question:
        return replace(filled, heard="asked_why", attempts=form.attempts)
    if read.intent == "affirm":
        return replace(filled, heard="")
    return replace(with_more(filled, read), heard="noted")


def with_more(form: Form, read: Understanding) -> Form:
    """The form with a message added to what has been told of the problem."""
    told = str(form.slots.get("description", "")).rstrip(" .")
    more = read.text.strip()
    description = f"{told}. {more}" if told else more
    return form.with_slots(description=description[:LONGEST_DESCRIPTION])


def _filled(form: Form, read: Understanding) -> Form:
    if is_wordless(read):
        return replace(form, attempts=form.attempts + 1)
    filled = _with_order(_tried_again(_fill_slots(form, read, asked=form.asked)), read)
    if form.name == "ticket":
        severity = first_cue(read.folded, "severities")
        if severity:
            filled = filled.with_slots(severity=severity)
    if filled.slots == form.slots:
        return replace(form, attempts=form.attempts + 1)
    return replace(filled, attempts=0)


def another_try(form: Form) -> Form:
    """A look-up that found nothing, to be tried again with one or both of its values changed."""
    tried = {f"tried_{name}": form.slots.get(name) for name in ("number", "email")}
    return Form(form.name, asked="number", key=form.key).with_slots(**tried)


def _tried_again(form: Form) -> Form:
    """Take the value that was not given anew from the try before."""
    for name, other in (("number", "email"), ("email", "number")):
        if other in form.slots and name not in form.slots:
            form = form.with_slots(**{name: form.slots.get(f"tried_{name}")})
    return form


def _fill_slots(form: Form, read: Understanding, asked: str | None) -> Form:
    for slot in FORMS[form.name]:
        if slot.name == "product" and slot.name in form.slots and asked != "product":
            # A piece of furniture named while the problem is described is no new product.
            if not read.entities.products:
                continue
        if slot.name == "description" and slot.name in form.slots and asked != "description":
            continue
        form = form.with_slots(**slot.read(read, slot.name == asked))
    return form


def given_up(form: Form, slot: str) -> bool:
    """Whether a slot has been asked for too often to be asked again."""
    return form.asked == slot and form.attempts >= ASK_AT_MOST


def missing(form: Form, caller: Caller) -> str | None:
    """The next slot to ask for."""
    for slot in FORMS[form.name]:
        if slot.name not in form.slots and slot.needed(form, caller):
            return slot.name
    return None


def answers(form: Form, read: Understanding) -> bool:
    """Whether a message answers what the form has just asked."""
    if form.asked is None:
        return False
    if form.asked == "description":
        return not read.is_question
    slot = next((slot for slot in FORMS[form.name] if slot.name == form.asked), None)
    if slot is None:
        return False
    if form.asked == "product":
        return bool(read.entities.products or read.entities.types) and not read.is_question
    return bool(slot.read(read, True))


def answers_with_entity(form: Form, read: Understanding) -> bool:
    """Whether a message holds the address or number that the form has just asked for."""
    return form.asked in {"email", "number"} and answers(form, read)


def is_under_review(form: Form) -> bool:
    """Whether its recapitulation waits for a yes, or for what is wrong with it."""
    return form.confirming or form.asked == CHANGE


def correct(form: Form, read: Understanding) -> Form:
    """Change what a message corrects of a form that has been recapitulated."""
    if read.intent == "affirm" and not read.entities_present:
        return form.with_slots(severity=first_cue(read.folded, "severities"))
    corrected = _with_order(form.with_slots(**_read_email(read, False)), read)
    if form.name != "ticket":
        return corrected
    if read.entities.products or read.entities.types:
        named = _of_the_same_kind(form, read) or _read_product(read, False)
        corrected = corrected.with_slots(**named)
    corrected = corrected.with_slots(severity=first_cue(read.folded, "severities"))
    category = first_cue(read.folded, "categories")
    expected = form.asked == CHANGE or has_cue(read.folded, "corrects")
    told_otherwise = corrected == form and expected and not _says_nothing(read)
    if category is not None or told_otherwise:
        corrected = with_more(corrected, read).with_slots(category=category)
    return corrected


def _of_the_same_kind(form: Form, read: Understanding) -> Mapping[str, Any]:
    """ "C'est la Fjord", of a chest of drawers: the one product so named of the kind there is."""
    kind = fold(str(form.slots.get("product", ""))).split()[:1]
    alike = [one for one in read.entities.products if fold(one.name).split()[:1] == kind]
    if read.product_sku is not None or read.entities.types or not alike:
        return {}
    if len(alike) > 1 and (shared := _shared_name(alike[0].name, alike[1].name)):
        return {"product": shared, "product_sku": ""}
    return {"product": alike[0].name, "product_sku": alike[0].sku}


def _says_nothing(read: Understanding) -> bool:
    """A yes, a no, a question or the name of what is to be changed: what is wrong is still open."""
    if is_wordless(read) or read.is_question or read.intent in {"affirm", "deny"}:
        return True
    return has_cue(read.folded, "part_of_ticket") and _is_bare(read)


def corrects(form: Form, read: Understanding) -> bool:
    """Whether a message changes something of a form that is under review."""
    return is_under_review(form) and correct(form, read) != form


def confirms(form: Form, read: Understanding) -> bool:
    """Whether a message tells to do what was recapitulated, and nothing else: "ok ouvrez"."""
    if not form.confirming or read.intent == "deny" or read.entities_present or read.is_question:
        return False
    return consists_of(read.folded, "confirms", "beside_consent")


def agreed(form: Form) -> Form:
    """The form after a yes; one to "what is wrong with it?" agrees to nothing."""
    return form.with_slots(confirmed=True) if form.confirming else form


def cancels(form: Form, read: Understanding) -> bool:
    """Whether a message gives the form up."""
    told = read.intent in TOLD_INTENTS and (
        read.intent != "order_change" or has_cue(read.folded, "order")
    )
    if has_cue(read.folded, "cancel") and (_is_bare(read) or not told):
        return True
    if read.intent != "deny" or read.entities_present or is_under_review(form):
        return False
    if has_cue(read.folded, "not_at_hand"):
        return False
    return form.asked != "email" or form.name != "ticket"
