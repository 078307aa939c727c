"""What forms ask for is what the bodies of commands have."""

import pytest

from services.intake.domain.commands import BODIES as INTAKE
from services.pages.commands.asked import ASKED, LIKELIEST, OVERSIGHT
from services.resolution.domain.commands import BODIES as RESOLUTION
from shared.policy.transitions import TRANSITIONS

BODIES = INTAKE | RESOLUTION
WITH_FORMS_OF_THEIR_OWN = {
    "open-case", "escalate-case", "consent-to-mediation", "record-agreement", "merge-case",
}  # fmt: skip
KEPT_AS_DOCUMENTS = ("photo", "signature")


@pytest.mark.parametrize("command", ASKED)
def test_every_question_is_a_member_of_the_body(command: str) -> None:
    body = BODIES["transfer-case" if command == "transfer-outside" else command]
    asked = {field.name.partition("/")[0] for field in ASKED[command] if field.kind not in KEPT_AS_DOCUMENTS}
    assert asked <= set(body.__struct_fields__)


def test_every_command_on_a_case_has_a_form() -> None:
    assert set(TRANSITIONS) - WITH_FORMS_OF_THEIR_OWN == set(ASKED) - {"transfer-outside"}
    assert set(OVERSIGHT) <= set(ASKED)
    assert set(LIKELIEST) <= set(TRANSITIONS)
