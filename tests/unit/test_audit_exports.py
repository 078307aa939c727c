"""What is taken along says what was seen, and runs nothing wherever it is opened."""

import csv
import io
from datetime import UTC, datetime
from typing import Final

from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from pypdf import PdfReader

from services.pages.audit.exports import Export, Printed, csv_of, excel_of, pdf_of

AS_OF: Final = datetime(2026, 3, 5, tzinfo=UTC)
RUNS: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
TEXTS: Final = st.one_of(
    st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=40),
    st.sampled_from(
        ['=HYPERLINK("http://x","y")', "@SUM(A1)", " =1+1", "\t=1", "-1", "＝1", "+86 513", "2026年"]
    ),
)


def export(texts: list[str]) -> Export:
    rows = [(text, 7) for text in texts]
    tables = [Printed("名单", ("标题", "位置"), rows)]
    return Export("案件 & 统计", "截至位置 7", AS_OF, "anjie", tables, "第{page}页，共{pages}页", "zh")


@given(st.lists(TEXTS, max_size=5))
def test_a_csv_file_holds_every_text_and_no_formula(texts: list[str]) -> None:
    content = csv_of(export(texts))
    assert content.startswith(b"\xef\xbb\xbf")
    stamp, columns, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    assert stamp == ["案件 & 统计", "名单", "截至位置 7"]
    assert columns == ["标题", "位置"]
    found = [row[0] for row in rows if row]
    assert [
        cell.removeprefix("'") if cell != text else cell for cell, text in zip(found, texts, strict=True)
    ] == texts
    assert not [cell for cell in found if cell.lstrip().startswith(RUNS)]


@given(st.lists(TEXTS, max_size=5))
def test_an_excel_file_holds_every_text_as_text(texts: list[str]) -> None:
    sheet = load_workbook(io.BytesIO(excel_of(export(texts)))).worksheets[0]
    assert (sheet["A1"].value, sheet["A2"].value) == ("案件 & 统计", "截至位置 7")
    header, footer = sheet.oddHeader, sheet.oddFooter
    assert header is not None
    assert footer is not None
    assert (footer.left.text, header.center.text) == ("截至位置 7", "案件 && 统计")
    cells = [sheet.cell(row, 1) for row in range(4, 4 + len(texts))]
    assert [cell.value or "" for cell in cells] == texts
    for cell, text in zip(cells, texts, strict=True):
        assert cell.data_type == ("s" if text else "n")
        assert cell.quotePrefix or not text.lstrip().startswith(RUNS)
    assert [sheet.cell(row, 2).value for row in range(4, 4 + len(texts))] == [7] * len(texts)


def test_a_pdf_says_on_every_page_as_of_when_it_was_seen() -> None:
    texts = [f"第{number}行" + "很长的内容" * 20 for number in range(1, 301)]
    reader = PdfReader(io.BytesIO(pdf_of(export(texts))))
    found = ["".join(page.extract_text().split()) for page in reader.pages]
    assert len(found) > 3
    for number, page in enumerate(found, 1):
        assert page.endswith(f"截至位置7第{number}页，共{len(found)}页")
        assert "标题位置" in page
    assert found[0].startswith("案件&统计名单")
    assert all(text in "".join(found) for text in texts[:1] + texts[-1:])
    assert sum(page.count("很长的内容") for page in found) == 300 * 20
