"""Files become documents; hostile and damaged ones become clear errors."""

import io
import time
import zipfile
import zlib

import docx
import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidRequest, PayloadTooLarge, SupportError, UnsupportedMedia
from knowledge.readers import MAXIMUM_FILE_BYTES, read_bytes, read_file
from knowledge.reading.source import SourceDocument


def only(data: bytes, name: str = "") -> SourceDocument:
    found = read_bytes(data, name)
    assert len(found) == 1
    return found[0]


def pdf(text: str) -> bytes:
    """A minimal PDF of one page with lines of Latin text."""
    lines = "".join(f"({line}) Tj T*\n" for line in text.split("\n"))
    stream = f"BT /F1 12 Tf 14 TL 50 750 Td\n{lines}ET".encode("latin-1")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    out = io.BytesIO(b"%PDF-1.4\n")
    out.seek(0, io.SEEK_END)
    places = []
    for number, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 6\n0000000000 65535 f \n")
    out.writelines(b"%010d 00000 n \n" % place for place in places)
    out.write(b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % start)
    return out.getvalue()


def word() -> bytes:
    document = docx.Document()
    document.core_properties.title = "Livraison en Corse"
    document.add_heading("Prix", 1)
    document.add_paragraph("La livraison en Corse coûte 149 €.")
    table = document.add_table(1, 2)
    table.rows[0].cells[0].text = "Bastia"
    table.rows[0].cells[1].text = "10 jours"
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def archive(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in parts.items():
            target.writestr(name, data)
    return out.getvalue()


def test_markdown_with_front_matter() -> None:
    text = (
        "---\ntitle: Retours\ntags: [retour, délai]\nlanguage: fr\n---\n\n**14 jours**, [ici](x)."
    )
    assert only(text.encode(), "a.md") == SourceDocument(
        "Retours", "14 jours, ici.", "markdown", ("retour", "délai"), "fr"
    )


def test_markdown_takes_its_title_from_the_heading_or_the_name() -> None:
    assert only("# Le délai\n\nDix jours.".encode()).title == "Le délai"
    assert only(b"Dix jours.", "frais-de-port.md").title == "frais de port"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_in_the_encodings_that_people_save(encoding: str) -> None:
    text = "Les délais de réponse à la réclamation d'un élève âgé : où est-ce déjà prévu ?\n" * 5
    assert "élève âgé : où" in only(text.encode(encoding), "a.txt").text


def test_html_keeps_headings_and_leaves_scripts_and_menus() -> None:
    page = (
        "<!doctype html><html lang=fr><head><title>Site</title></head><body><nav>Menu</nav>"
        "<h1>Garantie</h1><p>Elle dure <b>deux</b> ans.</p><script>alert(1)</script>"
        "<h2>Exclusions</h2><ul><li>Usure</li><li>Choc</li></ul></body></html>"
    )
    found = only(page.encode())
    assert (found.title, found.language) == ("Garantie", "fr")
    assert found.text == "Elle dure deux ans.\n\n## Exclusions\n\n- Usure\n- Choc"


def test_pdf_joins_the_lines_of_a_paragraph() -> None:
    found = only(pdf("La livraison est gratuite des que le panier\ndepasse deux cents euros."))
    assert found.source_kind == "pdf"
    assert found.text == ("La livraison est gratuite des que le panier depasse deux cents euros.")


def test_docx_keeps_headings_and_tables() -> None:
    found = only(word())
    assert found.title == "Livraison en Corse"
    assert found.text == "# Prix\n\nLa livraison en Corse coûte 149 €.\n\nBastia | 10 jours"


@pytest.mark.parametrize(
    "table",
    [
        "question;answer\nCombien ?;Dix euros, tout compris.\nQuand ?;Demain\n",
        'Titre,Texte\nCombien ?,"Dix euros, tout compris."\nQuand ?,Demain\n',
        "\ufeffQuestion\tRéponse\nCombien ?\tDix euros, tout compris.\nQuand ?\tDemain\n;\n",
    ],
)
def test_csv_gives_a_document_a_row(table: str) -> None:
    found = read_bytes(table.encode(), "faq.csv")
    assert [(one.title, one.text) for one in found] == [
        ("Combien ?", "Dix euros, tout compris."),
        ("Quand ?", "Demain"),
    ]


def test_a_false_name_does_not_decide() -> None:
    assert only(word(), "a.pdf").source_kind == "docx"
    assert only(pdf("Bonjour a tous."), "a.csv").source_kind == "pdf"


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"%PDF-1.7\ngarbage", InvalidRequest),
        (b"PK\x03\x04garbage", InvalidRequest),
        (word()[:-200], InvalidRequest),
        (archive({"a.txt": b"x"}), UnsupportedMedia),
        (archive({"word/document.xml": b"<not xml"}), InvalidRequest),
        (archive({"../../etc/passwd": b"x", "word/document.xml": b"x"}), InvalidRequest),
        (archive({"word/document.xml": b"\0" * 30_000_000}), InvalidRequest),
        (archive({f"{n}.xml": b"" for n in range(2_100)}), InvalidRequest),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, UnsupportedMedia),
        (b"---\ntitle: [\n---\nx", InvalidRequest),
        (b"<html><body><script>x</script></body></html>", InvalidRequest),
        (b"a;b\n1;2\n", InvalidRequest),
    ],
)
def test_damaged_hostile_and_foreign_files_are_refused(
    data: bytes, error: type[SupportError]
) -> None:
    with pytest.raises(error) as raised:
        read_bytes(data, "a.csv" if data.startswith(b"a;b") else "")
    assert raised.value.message.endswith(".")


def test_a_scanned_pdf_says_that_it_has_no_text() -> None:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(100, 100)
    out = io.BytesIO()
    writer.write(out)
    with pytest.raises(InvalidRequest, match="No text"):
        read_bytes(out.getvalue(), "scan.pdf")


def test_a_pdf_that_inflates_is_refused() -> None:
    bomb = zlib.compress(b"\0" * 200_000_000, 9)
    body = pdf("x").replace(b"/Contents 4 0 R", b"/Contents 9 0 R")
    extra = b"9 0 obj\n<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream\nendobj\n"
    at = body.index(b"xref\n0 6")
    with pytest.raises(InvalidRequest):
        read_bytes(body[:at] + extra % (len(bomb), bomb) + body[at:], "bomb.pdf")


def test_markup_that_is_too_deep_ends_soon() -> None:
    page = b"<html><body><p>Bonjour</p>" + b"<div>" * 100_000 + b"fin"
    started = time.process_time()
    assert only(page).text.startswith("Bonjour")
    assert time.process_time() - started < 2.0


@pytest.mark.anyio
async def test_size_and_emptiness_are_checked_first() -> None:
    with pytest.raises(PayloadTooLarge):
        await read_file(b"x" * (MAXIMUM_FILE_BYTES + 1), "a.md")
    with pytest.raises(InvalidRequest, match="empty"):
        await read_file(b" \n", "a.md")


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=400), st.sampled_from(["", "%PDF-1.4\n", "PK\x03\x04", "<html>", "---\n"])
)
def test_any_bytes_are_read_or_refused(data: bytes, start: str) -> None:
    try:
        found = read_bytes(start.encode() + data, "a")
    except SupportError:
        return
    for one in found:
        assert one.title
        assert one.text.encode()
        assert "\0" not in one.text
