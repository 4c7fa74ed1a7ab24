"""What is remembered between two messages outlives a release."""

from __future__ import annotations

from bot.state import DialogueState, Form


def test_that_a_stored_state_is_the_same() -> None:
    state = DialogueState(turn=2, form=Form("ticket", {"product": "lit"}), files_sent=True)
    assert DialogueState.from_json(state.as_json()) == state


def test_that_files_may_have_come_where_a_former_release_did_not_tell() -> None:
    assert not DialogueState.from_json({}).files_sent
    assert DialogueState.from_json({"turn": 1}).files_sent
    assert not DialogueState.from_json(DialogueState(turn=1).as_json()).files_sent
