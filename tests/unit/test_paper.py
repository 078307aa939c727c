"""Given a document, when it is printed, then every word of it is on a page that says which it is."""

import io
import struct
import zlib
from datetime import UTC, datetime
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfReader

from shared.paper.breaking import lines
from shared.paper.content import (
    DEED,
    LISTING,
    Block,
    Document,
    Field,
    Fields,
    Layout,
    Seal,
    Signature,
    Signatures,
    Table,
    Text,
    Title,
)
from shared.paper.face import face
from shared.paper.images import drawn_in
from shared.paper.printing import printed

AS_OF: Final = datetime(2026, 3, 5, 2, 20, tzinfo=UTC)
STAMP: Final = "截至2026年3月5日，位置7"
A4_POINTS: Final = (595, 842)


def document(*blocks: Block, layout: Layout = DEED) -> Document:
    return Document("人民调解协议书", "zh-CN", AS_OF, STAMP, "第{page}页，共{pages}页", layout, blocks)


def pages(*blocks: Block, layout: Layout = DEED) -> list[str]:
    reader = PdfReader(io.BytesIO(printed(document(*blocks, layout=layout))))
    return [page.extract_text() for page in reader.pages]


def without_spaces(text: str) -> str:
    return "".join(text.split())


def body(found: list[str]) -> str:
    """What is on the pages beside their feet."""
    feet = (f"{STAMP}第{number}页，共{len(found)}页" for number in range(1, len(found) + 1))
    return "".join(without_spaces(page).removesuffix(foot) for page, foot in zip(found, feet, strict=True))


@settings(max_examples=60)
@given(st.text(max_size=300), st.lists(st.text(max_size=80), min_size=1, max_size=4))
def test_any_text_is_printed_whole(paragraph: str, cells: list[str]) -> None:
    """What the font lacks is told by its number; what has no shape is left out."""
    table = Table(["甲"] * len(cells), [cells])
    expected = paragraph + "甲" * len(cells)
    found = body(pages(Text(paragraph), table))
    assert found.startswith(without_spaces(face().shown(expected)))
    # The cells of a row are drawn one beside the other, line by line.
    assert sorted(found) == sorted(without_spaces(face().shown(expected + "".join(cells))))


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("王𬍛、䶮", "王𬍛、䶮"),
        ("𠮷野家", "[U+20BB7]野家"),
        ("邓\U00030edd", "邓[U+30EDD]"),
        ("好👍🏽", "好[U+1F44D][U+1F3FD]"),
        ("❤\ufe0f", "[U+2764]"),
        ("一\x00二\u200b三\ud800", "一二三[U+D800]"),
    ],
)
def test_a_character_that_the_font_lacks_is_seen_to_lack(given_text: str, shown: str) -> None:
    assert body(pages(Text(given_text))) == shown


@given(st.text(max_size=200), st.floats(30, 400))
def test_no_line_is_wider_than_the_page(text: str, width: float) -> None:
    broken = lines(text, face(), 10, width)
    widest = max(face().width(character) for character in text + " ") * 10
    assert all(face().width(line) * 10 <= max(width, widest) + 1e-6 for line in broken)
    assert without_spaces("".join(broken)) == without_spaces(text)


def test_no_line_begins_with_a_mark_that_closes_or_ends_with_one_that_opens() -> None:
    broken = lines("经调解，双方自愿达成“协议”（共三条），互不追究。" * 20, face(), 10, 100)
    assert len(broken) > 20
    assert not [line for line in broken if line[0] in "，。）”" or line[-1] in "（“"]


def test_words_stay_whole_and_what_is_too_long_for_a_line_does_not() -> None:
    assert lines("ab cd", face(), 10, face().width("ab c") * 10) == ["ab", "cd"]
    assert "".join(lines("0" * 500, face(), 10, 100)) == "0" * 500


def test_every_page_says_as_of_when_and_which_it_is() -> None:
    found = pages(*(Text(f"第{number}条 互不追究。") for number in range(1, 201)))
    assert len(found) > 3
    for number, page in enumerate(found, 1):
        assert without_spaces(page).endswith(f"{STAMP}第{number}页，共{len(found)}页")
    assert body(found) == "".join(f"第{number}条互不追究。" for number in range(1, 201))


def test_a_wide_table_lies_and_names_its_columns_on_every_page() -> None:
    columns = [f"栏目{number}" for number in range(10)]
    rows = [[f"第{number}行" + "字" * 40, *(str(number),) * 9] for number in range(200)]
    content = printed(document(Table(columns, rows), layout=LISTING))
    reader = PdfReader(io.BytesIO(content))
    assert len(reader.pages) > 3
    for page in reader.pages:
        assert page.mediabox.width > page.mediabox.height
        assert without_spaces(page.extract_text()).startswith("".join(columns))
    text = without_spaces("".join(page.extract_text() for page in reader.pages))
    assert all(f"第{number}行" in text for number in range(200))


def test_a_row_that_is_longer_than_a_page_goes_on_upon_the_next() -> None:
    found = pages(Table(("事项", "内容"), [("情况", "长" * 9_000)]), layout=LISTING)
    assert len(found) > 1
    assert body(found).count("长") == 9_000


def test_the_same_document_is_the_same_bytes_without_anybody_in_its_own_data() -> None:
    said = document(Title("人民调解协议书"), Fields([[Field("当事人姓名", "张三"), Field("性别")]]))
    content = printed(said)
    assert printed(said) == content
    reader = PdfReader(io.BytesIO(content))
    told = reader.metadata
    assert told is not None
    assert (told.title, told.subject) == ("人民调解协议书", STAMP)
    assert told.creation_date == AS_OF
    assert "张三" not in str(told)
    assert str(reader.root_object["/Lang"]) == "zh-CN"
    assert tuple(round(side) for side in reader.pages[0].mediabox[2:]) == A4_POINTS
    assert len(content) < 200_000


def test_a_signature_stands_on_its_line_and_is_kept_with_the_seal() -> None:
    drawn = io.BytesIO()
    Image.new("RGBA", (3_000, 900), (0, 0, 0, 0)).save(drawn, "PNG")
    for filling in range(0, 40, 3):
        blocks = [Text("条款")] * filling
        places = [Signature("张三", drawn.getvalue()), Signature("李四"), Signature("人民调解员")]
        end = (Signatures(places), Seal("印章", "三月五日"))
        reader = PdfReader(io.BytesIO(printed(document(*blocks, *end))))
        last = reader.pages[-1].extract_text()
        assert "人民调解员" in last
        assert "印章" in last
        images = [image for page in reader.pages for image in page.images]
        assert len(images) == 1
        assert images[0].image is not None
        assert max(images[0].image.size) < 1_000, "made small before it is printed"


def test_a_photo_of_any_size_is_drawn_where_its_format_makes_it_small() -> None:
    photo = io.BytesIO()
    Image.new("L", (9_000, 7_000)).save(photo, "JPEG")
    assert drawn_in(photo.getvalue(), 200, 36) is not None


def huge(width: int, height: int) -> bytes:
    """The beginning of a PNG, which says how large it would be."""
    header = struct.pack("!IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"")


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack("!I", len(content)) + kind + content + struct.pack("!I", zlib.crc32(kind + content))


@pytest.mark.parametrize(
    "content",
    [b"", b"no image", b"\x89PNG\r\n\x1a\nbroken", huge(7_000, 7_000), huge(20_000, 20_000)],
    ids=["empty", "text", "broken", "large", "larger"],
)
def test_what_is_no_image_leaves_the_line_to_sign_on(content: bytes) -> None:
    assert "张三" in pages(Signatures([Signature("张三", content)]))[0]
