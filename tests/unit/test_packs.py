"""Rule packs: what is shipped, how they inherit, and that what is wrong with one is told with its place."""

from contextlib import suppress
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Final, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from services.cli import app
from shared.events.vocabulary import LEVELS, Procedure, SuspensionGround, Timer
from shared.policy.packs import DEFAULT_POLICY, SHIPPED, Fault, PackBroken, pack_of, read_pack, shipped
from shared.policy.policy import Policy, Span, SpanUnit

HEAD: Final = """\
name: test-town
version: 3
title: {zh: 试验镇, en: Test town}
extends: cn-default
"""
"""What stands before the rules of a test; they begin in line 5."""
CALENDAR: Final = """\
calendar_years:
  2027:
    holidays: [2027-01-01, 2027-02-03]
    workdays: [2027-02-09]
    source: 国务院办公厅通知
"""


def text_of(name: str) -> str:
    text = shipped(name)
    assert text is not None
    return text


def policy_of(name: str) -> Policy:
    return read_pack(text_of(name), file=name).policy


def child(rules: str) -> Policy:
    return read_pack(HEAD + rules, file="town.yaml").policy


def faults_of(text: str) -> tuple[Fault, ...]:
    with pytest.raises(PackBroken) as broken:
        read_pack(text, file="town.yaml")
    return broken.value.faults


def days(amount: int, unit: SpanUnit = "CALENDAR_DAYS") -> Span:
    return Span(amount=amount, unit=unit)


class TestShipped:
    @pytest.mark.parametrize("name", SHIPPED)
    def test_each_reads_and_is_read_again_from_its_content(self, name: str) -> None:
        pack = read_pack(text_of(name), file=name)
        assert pack.name == name
        assert pack.hash == sha256(pack.content).hexdigest()
        assert pack.policy.id == f"{name}@{pack.version}+{pack.hash[:12]}"
        assert pack_of(pack.content) == pack

    def test_no_other_pack_is_shipped(self) -> None:
        assert shipped("../cn-default") is None
        found = {path.stem for path in Path("shared/policy/packs").glob("*.yaml")}
        assert found == set(SHIPPED)

    def test_the_default_says_what_held_before_there_were_packs(self) -> None:
        policy = DEFAULT_POLICY
        assert policy == policy_of("cn-default")
        assert (policy.return_limit, policy.late_days, policy.future_s) == (2, 30, 120)
        assert policy.contact_hours == 24
        assert (policy.follow_up_attempts, policy.small_cell_min, policy.partial_counts) == (3, 5, False)
        assert policy.warning_scale == ("RED", "ORANGE", "YELLOW", "BLUE")
        assert policy.suspension_grounds == get_args(SuspensionGround)
        assert policy.safety_risks == {"VIOLENCE", "SAFETY_HAZARD"}
        assert policy.safety_categories == {"PUBLIC_SAFETY"}
        assert len(policy.categories) == 38
        assert next(iter(policy.service_items)) == "ATTESTATION"
        assert len(policy.service_items) == 9
        assert policy.dossier[0] == ("APPLICATION", "ACCEPTANCE_REGISTER")
        assert policy.calendar_years == {}

    @pytest.mark.parametrize(
        ("timer", "span"),
        [
            *((timer, days(15)) for timer in ("T1", "T2", "T11", "T12")),
            *((timer, days(30)) for timer in ("T5", "T6", "T7", "T8", "T10")),
            ("T3", days(5, "WORKING_DAYS")),
            ("T4", days(60)),
            ("T9", days(1, "MONTHS")),
            ("T14", days(5, "WORKING_DAYS")),
            ("T16", days(1, "WORKING_DAYS")),
        ],
    )
    def test_how_long_its_clocks_run(self, timer: Timer, span: Span) -> None:
        assert {DEFAULT_POLICY.length(timer, level) for level in LEVELS} == {span}

    def test_the_ladder_is_one_two_and_four_working_days(self) -> None:
        assert [DEFAULT_POLICY.length("T13", level) for level in LEVELS] == [
            days(amount, "WORKING_DAYS") for amount in (1, 2, 4)
        ]

    @pytest.mark.parametrize("procedure", get_args(Procedure))
    def test_which_clocks_a_procedure_has(self, procedure: Procedure) -> None:
        own = {"PETITION": {f"T{number}" for number in range(1, 9)}, "HOTLINE": {"T14"}}
        any_case = {"T9", "T10", "T11", "T12", "T13", "T16"}
        found = {timer for timer in get_args(Timer) if DEFAULT_POLICY.runs(timer, procedure)}
        assert found == any_case | own.get(procedure, set())

    def test_what_can_be_extended_by_whom(self) -> None:
        found = {
            timer: (rule.times, rule.at_most, rule.approved_by, rule.consent)
            for timer, rule in DEFAULT_POLICY.extensions.items()
        }
        assert found == {
            "T4": (1, days(30), "HANDLING_BODY_HEAD", None),
            "T9": (None, days(1, "MONTHS"), None, "EVERY_PARTY"),
            "T13": (1, "OWN_LENGTH", "NEXT_LEVEL_OFFICER", None),
        }

    def test_only_a_hearing_stops_the_re_review(self) -> None:
        assert {ground: rule.shifts for ground, rule in DEFAULT_POLICY.suspensions.items()} == {
            "HEARING": ("T8", "T13"),
            "COURT": ("T13",),
            "SURVEY": ("T13",),
            "EXPERT_OPINION": ("T13",),
        }

    def test_every_clock_warns_before_it_ends(self) -> None:
        assert DEFAULT_POLICY.approaching.keys() == DEFAULT_POLICY.timers.keys()
        assert DEFAULT_POLICY.approaching["T13"] == days(1)

    def test_the_kind_of_unit_selects_the_quorum(self) -> None:
        village, neighbourhood = (
            DEFAULT_POLICY.quorums[ballot].attendance[0]
            for ballot in ("VILLAGE_BALLOT", "NEIGHBOURHOOD_BALLOT")
        )
        assert (village.of, village.share, village.compare) == ("HOUSEHOLDS", "2/3", "AT_LEAST")
        assert (neighbourhood.share, neighbourhood.compare) == ("1/2", "MORE_THAN")

    def test_pudong_counts_valid_ballots_and_seats_more_supervisors(self) -> None:
        pudong = policy_of("shanghai-pudong")
        assert pudong.quorums["VILLAGE_BALLOT"].approval.of == "VALID"
        assert (
            pudong.quorums["VILLAGE_BALLOT"].attendance == DEFAULT_POLICY.quorums["VILLAGE_BALLOT"].attendance
        )
        assert pudong.quorums["VILLAGERS_ASSEMBLY"].approval.of == "PRESENT"
        seats = pudong.seats["SUPERVISORY_COMMITTEE"]
        assert (seats.at_least, seats.at_most) == (3, 7)
        assert pudong.seats["WORKING_GROUP"].at_most == 5
        assert pudong.ladder == DEFAULT_POLICY.ladder

    def test_haimen_has_the_default_numbers_by_its_own_authority(self) -> None:
        haimen = policy_of("jiangsu-haimen")
        council = haimen.seats["GROUP_COUNCIL"]
        assert (council.at_most, council.beyond) == (5, "WARN")
        assert "海门" in council.source
        assert haimen.service_items == DEFAULT_POLICY.service_items


class TestInheritance:
    def test_tables_join_and_all_else_is_replaced(self) -> None:
        policy = child(
            "timers: {T4: {length: {amount: 45}}, T13: {length: {amount: 3, unit: WORKING_DAYS}}}\n"
            "warning_scale: {value: [RED, BLUE]}\n"
            "categories: {value: {STRAY_CATS: {group: ESTATE, title: {zh: 流浪猫, en: Stray cats}}}}\n"
            "extensions: {T4: {times: null}}\n"
        )
        assert policy.length("T4", "TOWNSHIP") == days(45)
        assert policy.timers["T4"].source == DEFAULT_POLICY.timers["T4"].source
        assert policy.length("T13", "GROUP") == days(3, "WORKING_DAYS")
        assert policy.warning_scale == ("RED", "BLUE")
        assert list(policy.categories) == [*DEFAULT_POLICY.categories, "STRAY_CATS"]
        assert policy.extensions["T4"].times is None

    def test_a_grandparent_s_rules_come_through_its_parent(self) -> None:
        texts = {"cn-default": text_of("cn-default"), "county": HEAD + "late_days: {value: 60}\n"}
        text = HEAD.replace("cn-default", "county") + "return_limit: {value: 5}\n"
        policy = read_pack(text, file="town.yaml", parent=texts.get).policy
        assert (policy.late_days, policy.return_limit, policy.future_s) == (60, 5, 120)

    def test_a_parent_s_fault_is_told_at_the_parent_s_line(self) -> None:
        texts = {"cn-default": text_of("cn-default"), "county": HEAD + "late_days: {value: soon}\n"}
        text = HEAD.replace("cn-default", "county") + "return_limit: {value: much}\n"
        with pytest.raises(PackBroken) as broken:
            read_pack(text, file="town.yaml", parent=texts.get)
        assert [fault[:3] for fault in broken.value.faults] == [
            ("town.yaml", 5, "return_limit.value"),
            ("county.yaml", 5, "late_days.value"),
        ]

    def test_hotline_orders_may_have_another_limit_or_none(self) -> None:
        assert child("contact_hours: {value: 2}\n").contact_hours == 2
        assert child("contact_hours: null\n").contact_hours is None

    def test_content_from_before_a_section_is_read_without_it(self) -> None:
        content = msgspec.json.decode(read_pack(HEAD, file="town.yaml").content)
        del content["contact_hours"]
        policy = pack_of(msgspec.json.encode(content)).policy
        assert policy.contact_hours is None
        assert policy.late_days == DEFAULT_POLICY.late_days

    def test_a_calendar_year_is_taken_over(self) -> None:
        year = child(CALENDAR).calendar_years[2027]
        assert year.holidays == (date(2027, 1, 1), date(2027, 2, 3))
        assert year.workdays == (date(2027, 2, 9),)

    def test_a_pack_without_a_parent_must_say_everything(self) -> None:
        faults = faults_of("name: bare\nversion: 1\ntitle: {zh: 空, en: Bare}\n")
        assert {fault.field for fault in faults} == set(Policy.__struct_fields__) - {"id"}
        assert {fault.message for fault in faults} == {"is missing"}

    def test_no_pack_can_leave_a_running_clock_without_its_rule(self) -> None:
        whole = text_of("cn-default")
        petition, objection = whole.index("  T2:\n"), whole.index("  T3:\n")
        faults = faults_of(whole[:petition] + whole[objection:])
        assert ("timers.T2", "is missing") in {(fault.field, fault.message) for fault in faults}

    @pytest.mark.parametrize(
        ("name", "message"), [("test-town", "extends itself"), ("atlantis", "there is no pack of that name")]
    )
    def test_what_it_extends_must_exist(self, name: str, message: str) -> None:
        text = HEAD.replace("cn-default", name) + "timers: {T4: {length: {amount: 45}}}\n"
        with pytest.raises(PackBroken) as broken:
            read_pack(text, file="town.yaml", parent={"test-town": text}.get)
        assert [fault.field for fault in broken.value.faults] == ["extends"]
        assert message in str(broken.value)


SPAN = "{amount: 1, unit: CALENDAR_DAYS}"
NEW_TIMER = f"title: {{zh: 公开, en: Disclosure}}, length: {SPAN}, source: 规则"


FAULTS: Final = {
    "unknown-section": ("late_day: 3", 5, "late_day", "is unknown here"),
    "unknown-field": ("late_days:\n  valu: 3", 6, "late_days.valu", "known are title, source, value"),
    "unknown-timer": ("timers:\n  T17: {}", 6, "timers.T17", "must be one of T1, T10"),
    "missing": (f"timers: {{T15: {{{NEW_TIMER}}}}}", 5, "timers.T15.approaching", "is missing"),
    "word-for-number": ("late_days: {value: soon}", 5, "late_days.value", "a whole number"),
    "quoted-number": ("late_days: {value: '30'}", 5, "late_days.value", "a whole number"),
    "half-number": ("late_days: {value: 30.5}", 5, "late_days.value", "a whole number"),
    "list-for-number": ("late_days: {value: [30]}", 5, "late_days.value", "a single value"),
    "number-for-table": ("late_days: 30", 5, "late_days", "must be a table"),
    "number-for-nullable-table": ("contact_hours: 24", 5, "contact_hours", "must be a table"),
    "no-hours": ("contact_hours: {value: 0}", 5, "contact_hours.value", "must be from 1 to 8784"),
    "hours-in-words": ("contact_hours: {value: soon}", 5, "contact_hours.value", "a whole number"),
    "negative": ("late_days: {value: -1}", 5, "late_days.value", "must be from 0 to 3660"),
    "absurd": (
        "ladder:\n  value:\n    GROUP: {amount: 99999}",
        7,
        "ladder.value.GROUP.amount",
        "from 1 to 366",
    ),
    "unit": ("timers:\n  T4:\n    length:\n      unit: YEARS", 8, "timers.T4.length.unit", "WORKING_DAYS"),
    "length": ("timers: {T4: {length: LADER}}", 5, "timers.T4.length", "must be LADDER, or a table"),
    "truth": ("partial_counts: {value: yes}", 5, "partial_counts.value", "true or false"),
    "empty-source": ("late_days: {source: }", 5, "late_days.source", "must not be empty"),
    "duplicate-key": ("title: {zh: '  '}", 5, "title", "stands in line 3 already"),
    "duplicate-category": (
        "categories:\n  value:\n    DOGS: {group: ESTATE}\n    DOGS: {group: WORKS}",
        8,
        "categories.value.DOGS",
        "stands in line 7 already",
    ),
    "code": ("categories: {value: {dogs!: {}}}", 5, "categories.value.dogs!", "must be of the form"),
    "no-scale": ("warning_scale: {value: []}", 5, "warning_scale.value", "must not be empty"),
    "scale-repeats": (
        "warning_scale:\n  value:\n    - RED\n    - RED",
        8,
        "warning_scale.value.1",
        "stands in this list already",
    ),
    "no-list": ("warning_scale: {value: RED}", 5, "warning_scale.value", "must be a list"),
    "no-length": (
        "procedures:\n  GRID:\n    timers: [T15]",
        7,
        "procedures.GRID.timers.0",
        "T15 has no length",
    ),
    "occasion-no-length": (
        "occasions: {EVERY_CASE: {timers: [T13, T15]}}",
        5,
        "occasions.EVERY_CASE.timers.1",
        "T15 has no length",
    ),
    "shift": (
        "suspensions:\n  COURT:\n    shifts: [T13, T4]",
        7,
        "suspensions.COURT.shifts.1",
        "can't be shifted",
    ),
    "extension-of-nothing": (
        f"extensions:\n  T15: {{title: {{zh: 公, en: D}}, at_most: {SPAN}, source: 规则}}",
        6,
        "extensions.T15",
        "T15 has no length",
    ),
    "extension-unit": (
        "extensions: {T4: {at_most: {amount: 1, unit: MONTHS}}}",
        5,
        "extensions.T4.at_most",
        "in CALENDAR_DAYS",
    ),
    "early-warning": (
        "timers: {T1: {approaching: {amount: 16}}}",
        5,
        "timers.T1.approaching",
        "is longer than",
    ),
    "safety": ("safety: {categories: [UFO]}", 5, "safety.categories.0", "no category UFO"),
    "share": (
        "quorums: {VILLAGE_BALLOT: {approval: {share: 3/2}}}",
        5,
        "quorums.VILLAGE_BALLOT.approval.share",
        "more than the whole",
    ),
    "seats": (
        "seats: {MEDIATION_COMMITTEE: {at_most: 2}}",
        5,
        "seats.MEDIATION_COMMITTEE.at_least",
        "is more than at_most",
    ),
    "other-year": (
        CALENDAR.replace("2027-02-09", "2028-02-09"),
        8,
        "calendar_years.2027.workdays.0",
        "is not within 2027",
    ),
    "both": (
        CALENDAR.replace("2027-02-09", "2027-02-03"),
        8,
        "calendar_years.2027.workdays.0",
        "is a holiday as well",
    ),
    "gap": (
        CALENDAR.replace("2027", "2028"),
        5,
        "calendar_years",
        "leaves out 2027",
    ),
    "no-date": (
        CALENDAR.replace("2027-02-03", "2027-02-30"),
        7,
        "calendar_years.2027.holidays.1",
        "must be a date",
    ),
    "anchor": ("late_days: &a {value: 3}", 5, "late_days", "anchors are refused"),
    "tag": ("late_days: {value: !!int 3}", 5, "late_days.value", "tags are refused"),
    "key": ("? [a]\n: 3", 5, "pack", "has a key that is no plain word"),
    "nul": ('late_days: {source: "a\\0b"}', 5, "late_days.source", "no text may have"),
    "not-yaml": ("late_days: {value: 3", 6, "pack", "isn't YAML"),
    "documents": ("---\na: 1", 5, "pack", "is more than one document"),
}
"""Rules after `HEAD`; the line, field and message of their fault."""


@pytest.mark.parametrize(("rules", "line", "field", "message"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_with_its_place(rules: str, line: int, field: str, message: str) -> None:
    (fault,) = faults_of(HEAD + rules + "\n")
    assert (fault.file, fault.line, fault.field) == ("town.yaml", line, field)
    assert message in fault.message
    assert str(fault) == f"town.yaml:{line}: {field}: {fault.message}"


def test_all_faults_are_told_at_once() -> None:
    faults = faults_of(
        HEAD
        + "late_days: &a {value: soon}\n"
        + "future_s: *a\n"
        + "colour: red\n"
        + "suspensions: {COURT: {shifts: [T1]}}\n"
        + "seats: {MEDIATION_COMMITTEE: {at_least: 12}}\n"
        + "seats: {}\n"
    )
    assert [(fault.line, fault.field) for fault in faults] == [
        (5, "late_days"),
        (5, "late_days.value"),
        (6, "future_s"),
        (7, "colour"),
        (8, "suspensions.COURT.shifts.0"),
        (10, "seats"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("- a\n", "must be a table of rules"),
        ("a: " + "[" * 40, "is deeper than 16 levels"),
        ("#" * (1 << 20) + "\n", "is larger than"),
        ("a: \ud800", "isn't YAML"),
        ('a: "\\UFFFFFFFF"', "isn't YAML"),
        ("a: \x07", "isn't YAML"),
    ],
)
def test_a_text_that_is_no_pack_is_refused(text: str, message: str) -> None:
    assert message in str(PackBroken(faults_of(text)))


def test_a_fault_is_one_line_whatever_it_quotes() -> None:
    assert len(str(PackBroken(faults_of(HEAD + '"a\\nb": 1\n'))).splitlines()) == 1


WORDS = st.text(
    st.characters(exclude_categories=["C"], exclude_characters="\u2028\u2029"), min_size=1, max_size=40
).filter(str.strip)


@given(
    late_days=st.integers(0, 3660),
    title=WORDS,
    scale=st.permutations(DEFAULT_POLICY.warning_scale),
    ladder=st.dictionaries(st.sampled_from(LEVELS), st.integers(1, 366)),
)
@settings(max_examples=40)
def test_content_says_everything(
    late_days: int, title: str, scale: list[str], ladder: dict[str, int]
) -> None:
    rules = {
        "name": "test-town",
        "version": 3,
        "extends": "cn-default",
        "title": {"zh": title, "en": title},
        "late_days": {"value": late_days},
        "warning_scale": {"value": scale},
        "ladder": {"value": {level: {"amount": amount} for level, amount in ladder.items()}},
    }
    pack = read_pack(msgspec.json.encode(rules).decode(), file="town.yaml")
    again = pack_of(pack.content)
    assert again == pack
    assert again.hash == pack.hash
    assert (again.title.zh, again.policy.late_days) == (title, late_days)


@given(data=st.data())
@settings(max_examples=250)
def test_a_spoilt_pack_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    text = text_of(data.draw(st.sampled_from(SHIPPED)))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 40)))
        put = data.draw(
            st.one_of(st.text(max_size=8), st.sampled_from([*"{}[]&*!|>'\"%:-?#\t", "\n", "<<: "]))
        )
        text = text[:start] + put + text[end:]
    with suppress(PackBroken):
        pack = read_pack(text, file="spoilt.yaml")
        assert pack_of(pack.content) == pack


class TestCommand:
    def test_a_sound_pack_is_told(self) -> None:
        path = "shared/policy/packs/shanghai-pudong.yaml"
        pack = read_pack(text_of("shanghai-pudong"), file=path)
        told = CliRunner().invoke(app, ["pack", "check", path])
        assert (told.exit_code, told.stdout) == (0, f"shanghai-pudong version 1, hash {pack.hash}\n")
        told = CliRunner().invoke(app, ["pack", "check", path, "--json"])
        assert msgspec.json.decode(told.stdout) == {"name": pack.name, "version": 1, "hash": pack.hash}

    def test_a_broken_one_prints_its_faults(self, tmp_path: Path) -> None:
        path = tmp_path / "town.yaml"
        path.write_text(HEAD + "late_days: {value: soon}\ncolour: red\n", encoding="utf-8")
        told = CliRunner().invoke(app, ["pack", "check", str(path)])
        assert told.exit_code == 1
        assert [line.rsplit(": ", 2)[1] for line in told.stdout.splitlines()] == ["late_days.value", "colour"]
        told = CliRunner().invoke(app, ["pack", "check", str(path), "--json"])
        assert [fault["line"] for fault in msgspec.json.decode(told.stdout)["faults"]] == [5, 6]

    def test_bytes_that_are_no_text_have_a_line_too(self, tmp_path: Path) -> None:
        path = tmp_path / "town.yaml"
        path.write_bytes(HEAD.encode() + b"late_days: \xff\n")
        told = CliRunner().invoke(app, ["pack", "check", str(path)])
        assert (told.exit_code, told.stdout) == (1, f"{path}:5: pack: isn't UTF-8\n")
