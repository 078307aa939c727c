"""What holds of every template, whatever a browser makes of it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_CHECKOUT: Final = Path(__file__).parents[2]
_FORM: Final = re.compile(r"<form\b(?:[^>{]|{{.*?}}|{%.*?%})*>", re.DOTALL)


def _forms() -> Iterator[tuple[str, str]]:
    for room in ("services/pages", "shared/web/templates"):
        for template in sorted((_CHECKOUT / room).rglob("*.html")):
            for form in _FORM.findall(template.read_text()):
                yield template.name, form


def test_no_form_is_sent_in_an_address_unless_it_says_so() -> None:
    """A form without a method is: with the names in it, where it is sent before its script is there."""
    forms = list(_forms())
    assert forms
    assert [form for form in forms if "method=" not in form[1]] == []
    assert [form for form in forms if "data-command" in form[1] and 'method="post"' not in form[1]] == []
