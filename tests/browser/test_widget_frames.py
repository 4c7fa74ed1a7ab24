"""Is what the widget shows the same, whatever came twice and wherever the line was cut?"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.browser.conftest import Visit
from tests.serving import Server

Visits = Callable[..., Visit]
QUESTIONS = ("Combien coûte un retour ?", "Je cherche un canapé gris à moins de 1500 €")

# For every place of a cut, the stream goes on at every earlier place: nothing may change.
EVERY_CUT = """async ([version, frames]) => {
    const { applyFrame, emptyConversation } = await import(`${version}/widget/conversation.js`);
    const shown = (all) => {
        const { turns, last, owner } = all.reduce(applyFrame, emptyConversation());
        return JSON.stringify([turns.map(({ at, ...rest }) => rest), last, owner]);
    };
    const whole = shown(frames);
    const wrong = [];
    for (let cut = 1; cut <= frames.length; cut += 1) {
        for (let again = 0; again <= cut; again += 1) {
            const seen = shown([...frames.slice(0, cut), ...frames.slice(again)]);
            if (seen !== whole) wrong.push([cut, again]);
        }
    }
    return { wrong, whole: JSON.parse(whole) };
}"""

# Frames made anew replace what had arrived of the last reply, and only that.
REBUILT = """async ([version, frames, rebuilt]) => {
    const { applyFrame, emptyConversation } = await import(`${version}/widget/conversation.js`);
    const replies = (all) =>
        all.reduce(applyFrame, emptyConversation()).turns.map((turn) => turn.reply);
    const wrong = [];
    for (let cut = 1; cut <= frames.length; cut += 1) {
        const after = frames[cut - 1].sequence;
        const lost = after % 1000 === 999 ? [] : [{ type: "continuity_lost", after }];
        const follows = rebuilt.filter((frame) => frame.sequence > after);
        const seen = replies([...frames.slice(0, cut), ...lost, ...follows]);
        if (JSON.stringify(seen) !== JSON.stringify(replies(rebuilt))) wrong.push([cut, seen]);
    }
    return wrong;
}"""


@pytest.fixture(scope="module")
def frames(shop_server: Server) -> list[dict[str, Any]]:
    """All frames of a conversation of two questions, as the server sends them."""
    said: list[dict[str, Any]] = []
    with shop_server.client() as visitor:
        token = visitor.post("/api/chat/visitor", json={}).json()["visitor_token"]
        headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
        for number, question in enumerate(QUESTIONS):
            body = {
                "message": question,
                "session_id": "frames",
                "client_message_id": f"message-{number}",
            }
            said += _frames_of(visitor.post("/api/chat", json=body, headers=headers))
    return said


def _frames_of(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200
    lines = [line for line in answer.text.splitlines() if line.startswith("data: ")]
    return [frame for line in lines if (frame := json.loads(line[6:])).get("sequence")]


def version_of(server: Server) -> str:
    text = httpx.get(f"{server.base_url}/widget.js", trust_env=False).text
    return f"{server.base_url}/assets/{text.split('/assets/')[1].split('/')[0]}"


def test_frames_that_come_twice_count_once(
    shop_server: Server, visit: Visits, frames: list[dict[str, Any]]
) -> None:
    visited = visit(shop_server.base_url)
    found = visited.page.evaluate(EVERY_CUT, [version_of(shop_server), frames])
    turns, last, owner = found["whole"]
    assert [turn["text"] for turn in turns] == list(QUESTIONS)
    assert all(turn["reply"] and turn["state"] == "done" for turn in turns)
    assert (last, owner) == (frames[-1]["sequence"], "bot")
    assert found["wrong"] == []


def test_a_reply_made_anew_replaces_what_had_arrived_of_it(
    shop_server: Server, visit: Visits, frames: list[dict[str, Any]]
) -> None:
    rebuilt = _rebuilt(frames)
    visited = visit(shop_server.base_url)
    version = version_of(shop_server)
    assert visited.page.evaluate(REBUILT, [version, frames, rebuilt]) == []


def _rebuilt(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same conversation as the server makes it from the database: one sentence a reply."""
    made: list[dict[str, Any]] = []
    for number in sorted({frame["sequence"] // 1000 for frame in frames}):
        turn = [frame for frame in frames if frame["sequence"] // 1000 == number]
        first, last = turn[0], turn[-1]
        said = [frame for frame in turn if frame["type"] == "sentence"]
        whole = "".join(frame["joint"] + frame["text"] for frame in said)
        sentence = {"type": "sentence", "text": whole, "joint": "", "sources": []}
        made += [
            {**first, "sequence": number * 1000 + 901, "rebuilt": True},
            {**sentence, "sequence": number * 1000 + 902, "rebuilt": True},
            {**last, "rebuilt": True},
        ]
    return made
