"""Row M08: sending a picture, a video or a PDF, and opening what was kept."""

from __future__ import annotations

import io
import re
from typing import Any
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from tests.conformance.shapes import assert_failure, moment
from tests.pictures import encoded, pdf, photo, scene, video

FILE_ID = re.compile(r"upload_[0-9a-f]{32}")
MEBIBYTE = 1024 * 1024
TICKET = {
    "problem_category": "défaut_fabrication",
    "problem_severity": "moyen",
    "description": "Déchirure sur l'accoudoir gauche",
}


def send(
    client: httpx.Client,
    content: bytes,
    media_type: str = "image/jpeg",
    name: str = "photo.jpg",
    **fields: str,
) -> httpx.Response:
    return client.post("/api/upload", files={"file": (name, content, media_type)}, data=fields)


def kept(client: httpx.Client, content: bytes | None = None, **fields: str) -> dict[str, Any]:
    answer = send(client, photo() if content is None else content, **fields)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_m08_an_upload_answers_exactly_the_seeds_fields(customer: httpx.Client) -> None:
    answer = send(customer, photo(), description="Photo du défaut sur le canapé")
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"success", "file_url", "file_id", "file_type", "size_bytes"}
    assert body["success"] is True
    assert FILE_ID.fullmatch(body["file_id"])
    assert body["file_type"] == "image/jpeg"
    assert answer.headers["location"] == f"/api/upload/{body['file_id']}"
    opened = httpx.get(body["file_url"], trust_env=False)
    assert opened.status_code == 200
    assert len(opened.content) == body["size_bytes"]
    assert Image.open(io.BytesIO(opened.content)).size == scene().size


@pytest.mark.parametrize(
    ("content", "announced", "kept_as"),
    [
        (encoded(scene(), "PNG"), "image/png", "image/png"),
        (encoded(scene(), "WEBP"), "image/webp", "image/webp"),
        (encoded(scene(), "GIF"), "image/gif", "image/png"),
        (encoded(scene(), "HEIF"), "image/heic", "image/jpeg"),
        (encoded(scene(), "HEIF"), "image/heif", "image/jpeg"),
        (encoded(scene(), "AVIF"), "image/avif", "image/jpeg"),
        (video(), "video/mp4", "video/mp4"),
        (video("mov"), "video/quicktime", "video/mp4"),
        (video("webm", "libvpx"), "video/webm", "video/webm"),
        (pdf(), "application/pdf", "application/pdf"),
        (photo(), "application/octet-stream", "image/jpeg"),
        (photo(), "", "image/jpeg"),
    ],
)
def test_m08_pictures_videos_and_documents_are_kept(
    customer: httpx.Client, content: bytes, announced: str, kept_as: str
) -> None:
    answer = send(customer, content, announced, "file.bin")
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert body["file_type"] == kept_as
    opened = httpx.get(body["file_url"], trust_env=False)
    assert opened.headers["content-type"] == kept_as
    shown = "attachment" if kept_as == "application/pdf" else "inline"
    assert opened.headers["content-disposition"].startswith(f'{shown}; filename="upload_')


def test_m08_a_file_is_opened_as_nothing_but_a_file(customer: httpx.Client) -> None:
    answer = httpx.get(kept(customer)["file_url"], trust_env=False)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert answer.headers["cache-control"].startswith("private")
    part = httpx.get(
        kept(customer, video(), media_type="video/mp4")["file_url"],
        headers={"Range": "bytes=0-9"},
        trust_env=False,
    )
    assert (part.status_code, len(part.content)) == (206, 10)


def test_m08_one_reads_about_ones_own_file(customer: httpx.Client) -> None:
    sent = kept(customer, description="Vue d'ensemble")
    answer = customer.get(f"/api/upload/{sent['file_id']}")
    assert answer.status_code == 200
    file = answer.json()["file"]
    assert file["description"] == "Vue d'ensemble"
    assert (file["width"], file["height"]) == scene().size
    assert file["photo_problems"] == []
    moment(file["created_at"])
    small = httpx.get(file["thumbnail_url"], trust_env=False)
    assert max(Image.open(io.BytesIO(small.content)).size) == 400


def test_m08_a_video_has_a_poster_frame(customer: httpx.Client) -> None:
    sent = kept(customer, video(), media_type="video/mp4")
    file = customer.get(f"/api/upload/{sent['file_id']}").json()["file"]
    assert file["duration_seconds"] == 1.0
    poster = Image.open(io.BytesIO(httpx.get(file["thumbnail_url"], trust_env=False).content))
    assert poster.size == (160, 120)
    red, green, _ = poster.convert("RGB").getpixel((20, 40))
    assert red > 130 > green


def test_m08_another_customers_file_is_404_and_staff_see_it(
    customer: httpx.Client, agent: httpx.Client
) -> None:
    theirs = kept(agent)["file_id"]
    assert_failure(customer.get(f"/api/upload/{theirs}"), 404, "not_found")
    own = kept(customer)["file_id"]
    assert agent.get(f"/api/upload/{own}").status_code == 200


@pytest.mark.parametrize("file_id", ["upload_123", "upload_" + "0" * 32, "x", "upload_" + "é" * 32])
def test_m08_an_unknown_file_is_404(customer: httpx.Client, file_id: str) -> None:
    assert_failure(customer.get(f"/api/upload/{file_id}"), 404, "not_found")


def test_m08_a_file_needs_an_account_or_a_visit(anyone: httpx.Client) -> None:
    assert_failure(send(anyone, photo()), 401, "unauthorized")
    token = anyone.post("/api/chat", json={"message": "Bonjour"}).json()["visitor_token"]
    answer = anyone.post(
        "/api/upload",
        files={"file": ("a.jpg", photo(), "image/jpeg")},
        headers={"X-Visitor-Token": token},
    )
    assert answer.status_code == 201


def test_m08_an_altered_or_expired_address_opens_nothing(customer: httpx.Client) -> None:
    first, second = kept(customer), kept(customer)
    url = httpx.URL(first["file_url"])
    assert httpx.get(url, trust_env=False).status_code == 200
    query = dict(url.params)
    other = url.copy_with(path=f"/api/files/{second['file_id']}")
    for altered in (
        other,
        url.copy_set_param("variant", "thumbnail"),
        url.copy_set_param("expires", str(int(query["expires"]) + 1)),
        url.copy_set_param("expires", "1"),
        url.copy_set_param("signature", "0" * 64),
        url.copy_set_param("signature", "é"),
    ):
        assert_failure(httpx.get(altered, trust_env=False), 404, "not_found")
    for broken in ("expires", "signature"):
        answer = httpx.get(url.copy_remove_param(broken), trust_env=False)
        assert_failure(answer, 400, "invalid_request")


def test_m08_what_is_no_upload_is_400(customer: httpx.Client) -> None:
    file = ("a.jpg", photo(), "image/jpeg")
    answers = [
        customer.post("/api/upload", json={"file": "x"}),
        customer.post("/api/upload", content=b"x"),
        customer.post("/api/upload", data={"description": "x"}),
        customer.post("/api/upload", data={"file": "x"}, files={"other": file}),
        customer.post("/api/upload", files=[("file", file), ("file", file)]),
        customer.post("/api/upload", files={"file": file}, data={"organization_id": "x"}),
        customer.post("/api/upload", files={"file": file}, data={"description": "x" * 1001}),
        customer.post("/api/upload", files={"file": file}, data={"description": "a\x00b"}),
        send(customer, b""),
        customer.post(
            "/api/upload",
            content=b"--x\r\nbroken",
            headers={"Content-Type": "multipart/form-data; boundary=x"},
        ),
        customer.post("/api/upload", content=b"x", headers={"Content-Type": "multipart/form-data"}),
    ]
    for answer in answers:
        assert_failure(answer, 400, "invalid_request")


def test_m08_over_ten_megabytes_is_413(customer: httpx.Client) -> None:
    at_limit = photo() + b"\0" * (10 * MEBIBYTE - len(photo()))
    assert send(customer, at_limit).status_code == 201
    for excess in (1, MEBIBYTE):
        body = assert_failure(send(customer, at_limit + b"\0" * excess), 413, "payload_too_large")
        assert body["detail"] == "Request body exceeds maximum size of 10.0MB"


def test_m08_a_ticket_takes_ones_own_files(customer: httpx.Client, agent: httpx.Client) -> None:
    sent = [
        kept(customer)["file_id"],
        kept(customer, pdf(), media_type="application/pdf")["file_id"],
    ]
    filed = customer.post("/api/tickets", json={**TICKET, "attachments": [*sent, sent[0]]})
    assert filed.status_code == 201, filed.text
    path = f"/api/tickets/{filed.json()['ticket']['ticket_id']}"
    for reader in (customer, agent):
        ticket = reader.get(path).json()["ticket"]
        assert ticket["attachments"] == sent
        assert [file["file_id"] for file in ticket["files"]] == sent
        assert httpx.get(ticket["files"][0]["file_url"], trust_env=False).status_code == 200
    listed = customer.get("/api/tickets", params={"limit": 1}).json()["tickets"][0]
    assert listed["attachments"] == sent


def test_m08_a_ticket_takes_nobody_elses_files(customer: httpx.Client, agent: httpx.Client) -> None:
    theirs = kept(agent)["file_id"]
    before = customer.get("/api/tickets").json()["total"]
    for attachments in ([theirs], [kept(customer)["file_id"], "upload_" + uuid4().hex]):
        answer = customer.post("/api/tickets", json={**TICKET, "attachments": attachments})
        assert_failure(answer, 400, "invalid_request")
    assert customer.get("/api/tickets").json()["total"] == before


def test_m08_staff_attach_a_customers_file(customer: httpx.Client, agent: httpx.Client) -> None:
    sent = kept(customer)["file_id"]
    request = {**TICKET, "customer_id": "CUST123", "attachments": [sent]}
    filed = agent.post("/api/tickets", json=request)
    assert filed.status_code == 201
    path = f"/api/tickets/{filed.json()['ticket']['ticket_id']}"
    assert customer.get(path).json()["ticket"]["attachments"] == [sent]


def test_m08_a_message_takes_files_and_history_returns_them(customer: httpx.Client) -> None:
    sent = kept(customer)["file_id"]
    request = {
        "message": "Mon canapé est déchiré",
        "session_id": uuid4().hex,
        "attachments": [sent],
    }
    assert customer.post("/api/chat", json=request).status_code == 200
    session = {"session_id": request["session_id"]}
    messages = customer.get("/api/chat/history", params=session).json()["messages"]
    assert [message["attachments"] for message in messages] == [[sent], []]
    answer = customer.post("/api/chat", json={**request, "attachments": ["upload_123"]})
    assert_failure(answer, 400, "invalid_request")
