"""What is seen, to take along: the words of a page in a file that says its position on every page."""

import asyncio
import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from services.pages.audit.tables import Table
from services.pages.wording import Wording
from shared.paper import content as paper
from shared.paper.content import LISTING, Block, Document, Heading, Title
from shared.paper.printing import MEDIA_TYPE, printed
from shared.runtime.problems import Problem
from shared.runtime.web import Answer, Request
from shared.web.look import Language

Row = Sequence[str | int]


class Printed(NamedTuple):
    heading: str
    columns: Sequence[str]
    rows: Sequence[Row]


class Export(NamedTuple):
    title: str
    stamp: str
    """As of when and at which position."""
    as_of: datetime
    """The instant of that position."""
    name: str
    """Of the file, without its ending."""
    tables: Sequence[Printed]
    page_of: str
    """The number of a page in words, with `{page}` and `{pages}`."""
    language: Language


_LANGUAGE_TAGS: Final[Mapping[Language, str]] = {"zh": "zh-CN", "en": "en"}
_FORMULA: Final = re.compile(r"[\s]*[=+\-@＝＋－＠]")
"""How a text begins that a spreadsheet might run."""
_WIDTH_MAX: Final = 60
_SHEET_NAME_MAX: Final = 31
_NOT_IN_SHEET_NAMES: Final = re.compile(r"[\[\]:*?/\\]")
_HEADER_MAX: Final = 120
_STAMPED: Final = 2
"""Rows above a table."""


def export_of(
    title: str, stamp: str, as_of: str, name: str, tables: Iterable[Table], wording: Wording
) -> Export:
    """The tables in words; `as_of` is an instant as the interface tells it."""
    return Export(
        title,
        stamp,
        datetime.fromisoformat(as_of),
        name,
        [_printed(table, wording) for table in tables],
        wording.say("paper.page_of"),
        wording.language,
    )


def _printed(table: Table, wording: Wording) -> Printed:
    return Printed(
        wording.say(f"audit_table.{table.name}"),
        [wording.say(f"audit_column.{column}") for column in table.columns],
        [[cell.words for cell in row] for row in table.rows],
    )


def exporting(request: Request) -> Request:
    """The request, marked so that the register of reads tells what it reads as taken along.

    Raises: Problem 404 for a form that there isn't, before anything is read.
    """
    if request.parameters["form"] not in FORMS:
        raise Problem("not-found")
    request.headers[b"anjie-purpose"] = b"export"
    return request


async def exported(export: Export, form: str) -> Answer:
    """The file, of a `form` that there is."""
    media_type, write = FORMS[form]
    headers = (
        (b"content-disposition", f'attachment; filename="{export.name}.{form}"'.encode("ascii")),
        (b"cache-control", b"no-store"),
    )
    return Answer(200, await asyncio.to_thread(write, export), headers, media_type)


def csv_of(export: Export) -> bytes:
    """UTF-8 with a mark by which Excel knows it; the tables one after the other, each with its stamp."""
    text = io.StringIO()
    writer = csv.writer(text)
    for table in export.tables:
        writer.writerow(_defused((export.title, table.heading, export.stamp)))
        writer.writerow(_defused(table.columns))
        writer.writerows(_defused(row) for row in table.rows)
        writer.writerow(())
    return text.getvalue().encode("utf-8-sig")


def _defused(row: Row) -> list[str | int]:
    """The row with an apostrophe before what would be run as a formula."""
    return [f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell for cell in row]


def excel_of(export: Export) -> bytes:
    """A sheet for each table, its stamp in the footer of every page that is printed of it."""
    book = Workbook()
    first = book.active
    if first is not None:
        book.remove(first)
    for table in export.tables:
        _fill(book.create_sheet(_NOT_IN_SHEET_NAMES.sub(" ", table.heading)[:_SHEET_NAME_MAX]), table, export)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _fill(sheet: Worksheet, table: Printed, export: Export) -> None:
    for number, row in enumerate(((export.title,), (export.stamp,), table.columns, *table.rows), 1):
        for column, words in enumerate(row, 1):
            _write(sheet, number, column, words)
    for cell in (*sheet[1], *sheet[3]):
        cell.font = Font(bold=True)
    for column, cells in enumerate(zip(table.columns, *table.rows, strict=True), 1):
        widest = max(len(str(words)) for words in cells)
        sheet.column_dimensions[get_column_letter(column)].width = min(2 * widest + 2, _WIDTH_MAX)
    sheet.freeze_panes = "A4"
    sheet.print_title_rows = "1:3"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    header, footer = sheet.oddHeader, sheet.oddFooter
    assert header is not None
    assert footer is not None
    header.center.text = _header(export.title)
    footer.left.text = _header(export.stamp)
    footer.right.text = "&P / &N"


def _write(sheet: Worksheet, row: int, column: int, words: str | int) -> None:
    """A text is a text whatever it begins with, also once somebody edits it."""
    if isinstance(words, int):
        sheet.cell(row, column, words)
        return
    if not words:
        return
    cell = sheet.cell(row, column, ILLEGAL_CHARACTERS_RE.sub("", words))
    cell.data_type = "s"
    cell.quotePrefix = _FORMULA.match(words) is not None
    cell.alignment = Alignment(vertical="top", wrap_text=row > _STAMPED)


def _header(words: str) -> str:
    """As a header has it, in which an ampersand begins a code."""
    return words[:_HEADER_MAX].replace("&", "&&")


def pdf_of(export: Export) -> bytes:
    """The tables one after the other, the stamp at the foot of every page."""
    blocks: list[Block] = [Title(export.title)]
    for table in export.tables:
        blocks += [Heading(table.heading), paper.Table(table.columns, table.rows)]
    return printed(
        Document(
            name=export.title,
            language=_LANGUAGE_TAGS[export.language],
            as_of=export.as_of,
            stamp=export.stamp,
            page_of=export.page_of,
            layout=LISTING,
            blocks=blocks,
        )
    )


FORMS: Final[dict[str, tuple[bytes, Callable[[Export], bytes]]]] = {
    "xlsx": (b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", excel_of),
    "pdf": (MEDIA_TYPE, pdf_of),
    "csv": (b"text/csv; charset=utf-8", csv_of),
}
"""By the ending of the file: its media type, and what writes it."""
