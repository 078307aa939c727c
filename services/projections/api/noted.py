"""What a read is called in the register: an export says that it is one."""

from typing import Final

from shared.runtime.web import Request

PURPOSE: Final = "Anjie-Purpose"
"""The header by which a client says what it reads for."""
_EXPORT: Final = "export"


def read_as(request: Request, read: str) -> str:
    """The read as the register names it: `export/…` where the answer is to be taken along."""
    return f"{_EXPORT}/{read}" if request.header(PURPOSE.lower().encode()) == _EXPORT else read
