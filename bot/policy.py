"""What to do next: a pure function of what is remembered and what was just understood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bot import forms, person_talk, product_talk, task_talk
from bot.certainty import (
    CLARIFY_BELOW,
    CLARIFY_RATIO,
    DIGRESSION_CONFIDENCE,
    VAGUE_CONFIDENCE,
    WORDLESS_CONFIDENCE,
    agrees,
    is_short,
    is_surely_foreign,
    opens_with_and,
)
from bot.decisions import (
    AnswerFromKnowledge,
    AskWhatToChange,
    CancelForm,
    Clarify,
    Complain,
    DescribeProduct,
    FollowForm,
    Plan,
    SearchProducts,
    SmallTalk,
)
from bot.intent_groups import (
    CASE_INTENTS,
    DIGRESSIONS,
    KNOWLEDGE_INTENTS,
    ORDER_INTENTS,
    PRODUCT_ATTRIBUTE_INTENTS,
    PRODUCT_INTENTS,
    SMALL_TALK,
    TASKS,
)
from bot.phrasing import phrase
from bot.state import DialogueState, Form
from bot.understanding.clauses import asking_clause
from bot.understanding.cues import first_cue, fold, has_cue, is_told
from bot.understanding.understand import Understanding


def decide(state: DialogueState, read: Understanding, caller: forms.Caller) -> Plan:
    """Choose the next step. Order matters: a person, then what is pending, then what is new."""
    rules = (
        person_talk.address,
        person_talk.withdrawal,
        person_talk.who_is_there,
        person_talk.human,
        person_talk.offer,
        _clarification,
        _form,
        task_talk.more_for_ticket,
        task_talk.why_late,
        person_talk.bargain,
        product_talk.guide,
        _wordless,
        product_talk.compare,
        product_talk.buy,
        product_talk.sales,
        product_talk.pick,
        product_talk.correction,
        product_talk.about_shown,
        task_talk.part_of_order,
        _follow_up,
    )
    for rule in rules:
        plan = rule(state, read, caller)
        if plan is not None:
            return plan
    return _new_topic(state, read, caller)


def _clarification(state: DialogueState, read: Understanding, caller: forms.Caller) -> Plan | None:
    """The last reply asked which of two intents was meant."""
    chosen = _chosen_intent(state, read) if state.clarifying else None
    if chosen is None:
        return None
    text = state.clarified_text
    cleared = state.but(clarifying=(), clarified_text="")
    return _new_topic(cleared, replace(read, intent=chosen, confidence=1.0, text=text), caller)


def _chosen_intent(state: DialogueState, read: Understanding) -> str | None:
    """By its quick reply, by "le premier", by saying it again, or by a yes to the first."""
    first, second = state.clarifying
    names = {fold(phrase(read.language, f"intent_names.{one}")): one for one in (first, second)}
    if read.folded.strip() in names:
        return names[read.folded.strip()]
    if read.entities.ordinals:
        return first if read.entities.ordinals[0] == 1 else second
    if read.intent in state.clarifying:
        return read.intent
    return first if agrees(read) else None


def _form(state: DialogueState, read: Understanding, caller: forms.Caller) -> Plan | None:
    """A form is being filled: cancel, confirm, correct, digress, or fill on."""
    form = state.form
    if form is None:
        return None
    if forms.cancels(form, read):
        return Plan(CancelForm(form), state)
    if forms.confirms(form, read):
        return Plan(FollowForm(forms.agreed(form)), state)
    if _digresses(form, read):
        return replace(_new_topic(state, read, caller), resume=True)
    if forms.is_under_review(form):
        return _confirmation(state, form, read, caller)
    return Plan(FollowForm(forms.fill(form, read, caller)), state)


def _confirmation(
    state: DialogueState, form: Form, read: Understanding, caller: forms.Caller
) -> Plan:
    corrected = forms.correct(form, read)
    if form.confirming and agrees(read) and not read.entities_present:
        # "Oui, mais c'est urgent".
        return Plan(FollowForm(forms.agreed(corrected)), state)
    if corrected != form:
        return Plan(FollowForm(replace(corrected, confirming=False, asked=None)), state)
    if agrees(read):
        return Plan(FollowForm(forms.agreed(form)), state)
    if read.is_question:
        return replace(_new_topic(state, read, caller), resume=True)
    return Plan(AskWhatToChange(form), state)


def _digresses(form: Form, read: Understanding) -> bool:
    """Whether the message asks something else rather than answer the form's question."""
    if forms.has_none(form, read):
        return False
    if forms.gives_order(form, read) or (form.asked == forms.CHANGE and not read.is_question):
        return False
    if read.intent in {"order_status", "ticket_status", "support_request"}:
        switches = forms.FORM_OF_INTENT.get(read.intent) != form.name
        return (
            switches and read.confidence >= DIGRESSION_CONFIDENCE and not forms.answers(form, read)
        )
    if read.intent not in DIGRESSIONS or read.confidence < DIGRESSION_CONFIDENCE:
        return False
    return not forms.answers(form, read)


def _wordless(state: DialogueState, read: Understanding, caller: forms.Caller) -> Plan | None:
    """Signs, or a letter or two that mean nothing for sure: ask what may be done."""
    sure = read.intent in SMALL_TALK and read.confidence >= WORDLESS_CONFIDENCE
    faint = read.intent in SMALL_TALK and read.confidence < CLARIFY_BELOW
    if (forms.is_wordless(read) and not sure) or (faint and not read.entities_present):
        if read.entities.ordinals:
            return None
        key = "greeting_again" if state.turn > 0 else "greeting"
        return Plan(SmallTalk(key, "greeting"), state)
    return None


def _follow_up(state: DialogueState, read: Understanding, caller: forms.Caller) -> Plan | None:
    """ "Et en bleu ?", "et à Lyon ?": a few words that only make sense after the last turn."""
    if state.last_intent is None:
        return None
    if state.last_intent == "product_search" and _refines(read):
        cheaper = has_cue(read.folded, "cheaper") and not _names_extreme(read)
        return Plan(SearchProducts(refine=True, cheaper=cheaper), state)
    if state.last_intent == "product_search" and _asks_other_size(read):
        by_size = first_cue(read.folded, "sizes")
        return Plan(SearchProducts(refine=True, by_size=by_size), state)
    goes_on = _is_elliptical(read) or _leans_on_answer(read)
    if not goes_on:
        return None
    if state.last_intent == "product_search" and read.product_values:
        return Plan(SearchProducts(refine=True), state)
    if state.focus_sku and read.entities.colours and not read.entities.types:
        return Plan(DescribeProduct(state.focus_sku, "stock_question"), state)
    if state.last_intent in PRODUCT_INTENTS and read.product_values:
        return Plan(SearchProducts(refine=True), state)
    if state.last_question and state.last_intent in KNOWLEDGE_INTENTS | PRODUCT_INTENTS:
        return Plan(_same_topic(state.last_intent, state.last_question, read), state)
    return None


def _same_topic(last_intent: str, last_question: str, read: Understanding) -> AnswerFromKnowledge:
    """What a few words ask within a topic: its name stands for what they leave out.

    The last question itself would draw the last answer again; it is the second choice.
    """
    sure = read.intent in KNOWLEDGE_INTENTS and read.confidence >= DIGRESSION_CONFIDENCE
    intent = read.intent if sure else last_intent
    topic = phrase(read.language, f"intent_names.{intent}")
    return AnswerFromKnowledge(
        f"{topic} {read.text}", intent, otherwise=f"{last_question} {read.text}"
    )


def _refines(read: Understanding) -> bool:
    """Whether a message changes the last search, naming no other kind of thing."""
    found = read.entities
    if found.products or found.types or found.categories:
        return False
    asks_products = read.intent in PRODUCT_INTENTS | {"product_search"}
    if has_cue(read.folded, "cheaper") or _names_extreme(read):
        return asks_products or is_short(read)
    # "Max 1200" is nobody's business alone; after a list it is.
    told_briefly = read.intent == "out_of_scope" and is_short(read)
    return (asks_products or told_briefly) and bool(read.product_values)


def _asks_other_size(read: Understanding) -> bool:
    """ "Et plus petit ?", of what was shown."""
    named = read.entities.products or read.entities.types or read.product_values
    return first_cue(read.folded, "sizes") is not None and not named and is_short(read)


def _names_extreme(read: Understanding) -> bool:
    """ "La moins chère": the first of all by price, not less dear ones than those shown."""
    return first_cue(read.folded, "extremes") is not None


def _leans_on_answer(read: Understanding) -> bool:
    """ "C'est où ?", "how long do I have?": a question that says nothing of what it is about."""
    if not is_short(read) or not read.is_question or read.entities_present:
        return False
    unread = read.intent == "out_of_scope" and read.confidence < VAGUE_CONFIDENCE
    return unread or (read.intent in SMALL_TALK and read.intent != "greeting")


def _is_elliptical(read: Understanding) -> bool:
    if not is_short(read) or read.entities.products:
        return False
    begins_task = read.intent in forms.FORM_OF_INTENT and read.confidence >= DIGRESSION_CONFIDENCE
    if begins_task or read.text.lower().startswith("où "):
        return False
    weak = read.confidence < DIGRESSION_CONFIDENCE and read.product_values
    return opens_with_and(read) or bool(weak)


def _new_topic(state: DialogueState, read: Understanding, caller: forms.Caller) -> Plan:
    """What the intent alone asks for."""
    state = state.but(clarifying=(), handoff_offered=False)
    if has_cue(read.folded, "promised") and not _is_of_order(read):
        return Plan(SmallTalk("promised", "yes_no"), state.but(handoff_offered=True))
    asks_ticket = is_told(read.folded, "opens_ticket") and not read.is_question
    if asks_ticket or task_talk.tells_problem(state, read):
        return task_talk.start_form(state, replace(read, intent="support_request"), caller)
    if _asks_for_products(read):
        return Plan(SearchProducts(), state)
    if _is_unclear(read):
        first, second = read.ranking[0][0], read.ranking[1][0]
        return Plan(Clarify((first, second)), state.but(clarified_text=read.text))
    choose = _BY_INTENT.get(read.intent, _answer)
    return choose(state, read, caller)


def _is_of_order(read: Understanding) -> bool:
    """Whether a message is surely about an order or its delivery."""
    of_order = read.intent in {"order_status", "delivery_question", "support_request"}
    return bool(read.entities.order_numbers) or (
        of_order and read.confidence >= DIGRESSION_CONFIDENCE
    )


def _asks_for_products(read: Understanding) -> bool:
    """Whether an uncertain message names furniture and what it must not be or cost, or a colour."""
    bounds = any(name.startswith(("excluded_", "price_")) for name in read.product_values)
    uncertain = read.confidence < DIGRESSION_CONFIDENCE or read.intent == "out_of_scope"
    if uncertain and read.entities.products and read.entities.colours:
        # "Le canapé Oslo se fait en bleu ?"
        return True
    return bool(read.entities.types) and bounds and uncertain and not read.is_question


def _is_unclear(read: Understanding) -> bool:
    if read.confidence >= CLARIFY_BELOW or len(read.ranking) < 2:
        return False
    (first, first_score), (second, second_score) = read.ranking[:2]
    in_scope = "out_of_scope" not in (first, second) and not SMALL_TALK & {first, second}
    if {first, second} <= PRODUCT_INTENTS | {"product_search"}:
        # Either way it is the catalogue that answers.
        return False
    if first == "order_status" and read.entities.order_numbers:
        # A look-up harms nothing, and shows what there is to change.
        return False
    return (
        in_scope and bool(TASKS & {first, second}) and second_score >= CLARIFY_RATIO * first_score
    )


def _small_talk(state: DialogueState, read: Understanding, caller: forms.Caller) -> Plan:
    key = {"affirm": "affirm_nothing", "deny": "deny_nothing"}.get(read.intent, read.intent)
    if key == "greeting" and state.turn > 0:
        key = "greeting_again"
    return Plan(SmallTalk(key, "greeting" if read.intent == "greeting" else None), state)


def _search(state: DialogueState, read: Understanding, caller: forms.Caller) -> Plan:
    return Plan(SearchProducts(), state)


def _about_product(state: DialogueState, read: Understanding, caller: forms.Caller) -> Plan:
    fee = read.intent == "price_question" and has_cue(read.folded, "delivery")
    if fee and read.product_sku is None:
        # "La livraison d'un meuble à 300 €": an amount beside a fee is no wish for a product.
        return _answer(state, replace(read, intent="delivery_question"), caller)
    sku = read.product_sku or _focus(state, read)
    if sku is not None:
        return Plan(DescribeProduct(sku, read.intent), state)
    if read.product_values:
        return Plan(SearchProducts(), state)
    listed = state.last_intent == "product_search" or has_cue(read.folded, "refers")
    if state.shown_skus and listed and is_short(read):
        return Plan(SmallTalk("product.which"), state)
    otherwise = asking_clause(read.text)
    return Plan(AnswerFromKnowledge(read.text, read.intent, otherwise=otherwise), state)


def _focus(state: DialogueState, read: Understanding) -> str | None:
    """The product talked about, unless the message names another kind of thing."""
    return None if read.entities.types or read.entities.products else state.focus_sku


def _answer(state: DialogueState, read: Understanding, caller: forms.Caller) -> Plan:
    if read.intent in PRODUCT_ATTRIBUTE_INTENTS:
        sku = read.product_sku
        if sku is None and has_cue(read.folded, "refers"):
            sku = _focus(state, read)
        if sku is not None:
            return Plan(DescribeProduct(sku, read.intent), state)
    if read.intent in ORDER_INTENTS and read.entities.order_numbers:
        plan = task_talk.start_form(state, replace(read, intent="order_status"), caller)
        if isinstance(plan.decision, FollowForm) and read.intent in CASE_INTENTS:
            return replace(plan, decision=FollowForm(plan.decision.form.with_slots(case=True)))
        return plan
    unread = read.intent == "out_of_scope"
    if unread and state.last_intent == "complaint" and not read.is_question:
        # What else went wrong.
        return Plan(Complain(), state)
    if unread and (read.entities.order_numbers or read.entities.ticket_numbers):
        # A number says what the words do not: it is that order, or that ticket, that is meant.
        intent = "order_status" if read.entities.order_numbers else "ticket_status"
        return task_talk.start_form(state, replace(read, intent=intent), caller)
    if read.product_sku is not None and (unread or _may_want_to_see(read)):
        return Plan(DescribeProduct(read.product_sku, "product_question"), state)
    if unread and read.entities.types and is_short(read) and not read.is_question:
        return Plan(SearchProducts(), state)
    strict = is_surely_foreign(read)
    otherwise = None if strict else asking_clause(read.text)
    return Plan(AnswerFromKnowledge(read.text, read.intent, strict, otherwise), state)


def _may_want_to_see(read: Understanding) -> bool:
    """Whether an image may be asked for, or just the product: "parlez-moi du canapé Sienne"."""
    doubtful = read.confidence < DIGRESSION_CONFIDENCE and not read.is_question
    return doubtful and read.intent == "design_request"


_BY_INTENT: dict[str, Callable[[DialogueState, Understanding, forms.Caller], Plan]] = {
    **dict.fromkeys(SMALL_TALK, _small_talk),
    **dict.fromkeys(PRODUCT_INTENTS, _about_product),
    **dict.fromkeys(forms.FORM_OF_INTENT, task_talk.start_form),
    "product_search": _search,
    "complaint": person_talk.complain,
    "human_agent": person_talk.offer_human,
}
