"""`/m/cases/{case_id}/agreement.pdf`: what the parties agreed, to be signed and sealed.

In the form of 司发通〔2010〕239号 (人民调解文书格式): an agreement in writing as 人民调解协议书, one by word
of mouth as 人民调解口头协议登记表. Its language is Chinese whoever prints it.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from services.pages.api import Refused
from services.pages.commands.case_choices import TEXTS
from services.pages.phone.clear import seen_in_the_clear
from services.pages.places import place_of
from services.pages.printing import print_out
from services.pages.room import Handler, Me, Room
from services.pages.timelines import case_timeline
from services.pages.wording import Wording, wording_in
from shared.paper.content import (
    DEED,
    Block,
    Document,
    Field,
    Fields,
    Heading,
    Seal,
    Signature,
    Signatures,
    Text,
    Title,
)
from shared.runtime.problems import Problem
from shared.runtime.web import Answer, Request

_OFFERED: Final = "case.mediation_offered"
_REACHED: Final = "case.agreement_reached"
_ATTACHED: Final = "case.document_attached"
_CORRECTED: Final = "case.record_corrected"

Item = Mapping[str, Any]


class Recorded(NamedTuple):
    """An agreement as it was recorded."""

    event: Item
    parties: Sequence[str]
    signed: Mapping[str, str]
    """By party, the file of what they signed."""
    corrections: Sequence[Item] = ()
    """Of the record of it, which change nothing of what was signed."""


def agreement_page(room: Room) -> Handler:
    async def show(request: Request, me: Me) -> Answer:
        path = f"/v1/cases/{request.id('case_id')}"
        case, items = await asyncio.gather(room.api.get(request, path), case_timeline(room, request, path))
        seen_in_the_clear(case)
        recorded = recorded_in(items)
        if recorded is None:
            raise Problem("not-found")
        wording = await wording_in("zh", room, request)
        # A group has no committee of its own.
        place, drawn = await asyncio.gather(
            place_of(room, request, recorded.event["unit"]), _drawn(room, request, recorded.signed)
        )
        document = agreement_document(case, recorded, drawn, "".join(place[:1]), wording)
        return await print_out(document, f"agreement-{case['case_id']}")

    return show


def recorded_in(items: Iterable[Item]) -> Recorded | None:
    """The last agreement of a timeline, with the signatures that it names and the corrections since.

    Of a signature that names neither its file nor paper it is what was attached last for this agreement and
    for none before. What somebody drew of whom the agreement doesn't say that they signed was for one that
    never came about.
    """
    found, parties, drawn = None, list[str](), list[Item]()
    for item in items:
        data = item["data"]
        if item["topic"] == _REACHED:
            found, drawn = Recorded(item, parties, _signed(data.get("signatures", ()), drawn)), []
        elif item["topic"] == _OFFERED:
            parties, drawn = data["parties"], []
        elif item["topic"] == _ATTACHED and _is_signature(data):
            drawn.append(data)
        elif item["topic"] == _CORRECTED and found and data["event_id"] == found.event["event_id"]:
            found = found._replace(corrections=[*found.corrections, item])
    return found


def _signed(signatures: Iterable[Item], drawn: Sequence[Item]) -> dict[str, str]:
    """By party, the file of the signature that stands; `drawn` are those attached, the last one last."""
    return {
        own["person_ref"]: own["file_id"]
        for signature in signatures
        if signature["kind"] == "SIGNED" and not signature.get("on_paper")
        for own in drawn
        if own["person_ref"] == signature["person_ref"]
        and signature.get("digest") in (None, own.get("digest"))
    }


def _is_signature(data: Item) -> bool:
    """Whether what is attached is somebody's own on the agreement."""
    named = data.get("person_ref") and data.get("file_id")
    return bool(named) and data["document_kind"] == "AGREEMENT"


def agreement_document(
    case: Item, recorded: Recorded, drawn: Mapping[str, bytes], committee: str, wording: Wording
) -> Document:
    """`drawn` has the parties' signatures as images."""
    event, parties, say = recorded.event, recorded.parties, wording.say
    data = event["data"]
    written = data["form"] == "WRITTEN"
    people = {person["person_ref"]: person for person in case["people"]}
    name = say(f"agreement.name_{data['form']}")
    blocks: list[Block] = [
        Title(name),
        Text(say("agreement.number", number=case["case_id"]), align="right", soft=True),
        *(_particulars(people.get(party, {}), wording) for party in parties),
        Heading(say("agreement.facts")),
        Text(wording.text(data["facts"]), indented=True),
        Heading(say("agreement.responsibilities")),
        Text(wording.text(data["responsibilities"]), indented=True),
        Heading(say(f"agreement.terms_{data['form']}")),
        *(Text(_term(term, wording), indented=True) for term in data["terms"]),
        Heading(say("agreement.performance")),
        Text(_performance(data["terms"], wording), indented=True),
    ]
    if written:
        blocks.append(Text(say("agreement.copies", copies=len(parties) + 1), indented=True))
    places = [
        Signature(_signs(people.get(party, {}), wording), drawn.get(party)) for party in parties if written
    ]
    places += [Signature(say("agreement.mediator")), Signature(say("agreement.recorder"))]
    day = wording.day(event["occurred_at"])
    blocks += [Signatures(places), Seal(say("agreement.seal", committee=committee), day)]
    blocks += [Text(_corrected(item, wording), soft=True) for item in recorded.corrections]
    return Document(
        name=name,
        language="zh-CN",
        as_of=datetime.fromisoformat([event, *recorded.corrections][-1]["recorded_at"]),
        stamp=say("agreement.stamp", number=case["case_id"], position=event["position"]),
        page_of=say("paper.page_of"),
        layout=DEED,
        blocks=blocks,
    )


def _particulars(person: Item, wording: Wording) -> Fields:
    """As the form asks for them; what isn't known is left to be written."""
    say = wording.say

    def known(field: str) -> str:
        return wording.text(person[field]) if field in person else ""

    return Fields((
        (
            Field(say("agreement.party"), known("name"), 2.6),
            Field(say("agreement.sex")),
            Field(say("agreement.nation")),
            Field(say("agreement.age")),
        ),
        (Field(say("agreement.occupation")), Field(say("agreement.contact"), known("phone"))),
        (Field(say("agreement.address"), known("address")),),
    ))  # fmt: skip


def _term(term: Item, wording: Wording) -> str:
    return wording.say("agreement.term", number=term["term_no"], text=wording.text(term["text"]))


def _performance(terms: Sequence[Item], wording: Wording) -> str:
    """Until when each is to be performed; how, the terms say."""
    said = [
        wording.say("agreement.due", number=term["term_no"], day=wording.date(term["due_on"]))
        if term.get("due_on")
        else wording.say("agreement.not_due", number=term["term_no"])
        for term in terms
    ]
    return wording.say("agreement.as_agreed", due=wording.say("agreement.then").join(said))


def _corrected(correction: Item, wording: Wording) -> str:
    """That the record says otherwise since: what people signed stays as they signed it."""
    data = correction["data"]
    field = data["field"]
    return wording.say(
        "agreement.corrected",
        day=wording.day(correction["occurred_at"]),
        position=correction["position"],
        field=wording.say(f"record_field.{field}") if field in TEXTS else field,
        text=wording.text(data["correction"]),
    )


def _signs(person: Item, wording: Wording) -> str:
    return wording.say("agreement.signs", who=wording.text(person.get("name", "")))


async def _drawn(room: Room, request: Request, signed: Mapping[str, str]) -> dict[str, bytes]:
    """What was signed on the glass; what is gone meanwhile is signed on paper."""
    drawn: dict[str, bytes] = {}
    for party, file_id in signed.items():
        try:
            drawn[party] = await room.api.file(request, f"/v1/files/{UUID(file_id)}")
        except Refused:
            continue
    return drawn
