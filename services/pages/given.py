"""What somebody asked for in the address of a page."""

from collections.abc import Collection
from urllib.parse import parse_qs, urlencode

from services.pages.api import Refused
from shared.runtime.web import Request


class Given(dict[str, list[str]]):
    """The parameters that were filled in, by name."""

    def one(self, name: str) -> str | None:
        return self[name][-1] if name in self else None

    def only(self, names: Collection[str]) -> dict[str, str | list[str]]:
        """Those of these names: what the interface is asked with."""
        known = {name: values for name, values in self.items() if name in names}
        return {name: values[0] if len(values) == 1 else values for name, values in known.items()}

    def query(self, *without: str, **changes: str) -> str:
        """The same address with changes."""
        kept = {name: values for name, values in self.items() if name not in without and name not in changes}
        return urlencode({**kept, **changes}, doseq=True)


def given(request: Request) -> Given:
    return Given(parse_qs(request.query_string.decode("latin-1"), max_num_fields=100))


def wrong_fields(refused: Refused, otherwise: str) -> dict[str, str]:
    """What doesn't fit, by field; what is refused as a whole stands at the field that is given for it."""
    errors = {error["pointer"].lstrip("/"): error["detail"] for error in refused.problem.get("errors", [])}
    return errors or {otherwise: refused.problem["detail"]}
