"""Row W16 and the chat: two documents that disagree are shown as such, the newer first."""

from __future__ import annotations

from uuid import uuid4

import httpx

DOCUMENTS = "/api/v1/knowledge/documents"
OLDER = "La location d'une remorque coûte 35 € par jour."
NEWER = "La location d'une remorque coûte 45 € par jour."
QUESTION = "Combien coûte la location d'une remorque ?"


def test_w16_documents_that_disagree_are_both_quoted_newest_first(
    admin: httpx.Client, anyone: httpx.Client
) -> None:
    titles = ("Location de remorque", "Louer une remorque")
    ids = []
    for title, text in zip(titles, (OLDER, NEWER), strict=True):
        new = {"title": title, "text": text, "language": "fr"}
        answer = admin.post(DOCUMENTS, json=new)
        assert answer.status_code == 201, answer.text
        ids.append(answer.json()["data"]["id"])
    body = {"message": QUESTION, "session_id": f"session-{uuid4().hex}", "language": "fr"}
    answer = anyone.post("/api/chat", json=body)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    for id in ids:
        assert admin.delete(f"{DOCUMENTS}/{id}").status_code == 200
    assert "ne disent pas la même chose" in said["response"], said
    assert said["response"].index(NEWER) < said["response"].index(OLDER)
    assert [source["id"] for source in said["sources"]] == ids[::-1]
    assert [source["quote"] for source in said["sources"]] == [NEWER, OLDER]
