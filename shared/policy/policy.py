"""The rules that a county may set otherwise, as one frozen value that `decide` is given."""

import msgspec

from shared.events.vocabulary import DocumentKind, Risk, SuspensionGround, WarningLevel


class Category(msgspec.Struct, frozen=True):
    """What a case is about; `civil` ones may be mediated."""

    code: str
    group: str
    civil: bool = False


_CODES: dict[str, tuple[str, ...]] = {
    "DISPUTE": (
        "FAMILY", "NEIGHBOUR", "HOMESTEAD", "COMPENSATION", "CONTRACT", "HILLS_AND_LAND", "LAND_ACQUISITION",
        "LABOUR", "FAMILY_PLANNING", "VILLAGE_AFFAIRS", "ENVIRONMENT", "TRAFFIC", "MEDICAL",
        "PROPERTY_MANAGEMENT", "OTHER",
    ),
    "WORKS": (
        "FLOODING", "ROADS", "MANHOLES", "LIGHTING", "ELDERLY_ROOMS", "EQUIPMENT", "BRIDGES", "FARM_TRACKS",
        "UNDERGROUND_CHANNELS", "DRAINS",
    ),
    "ESTATE": (
        "UNMANAGED_ESTATE", "FEE_COLLECTION", "STAIRWELL_CLUTTER", "PARKING", "GREEN_SPACE_PLOTS", "DOGS",
    ),
    "VILLAGE_RULE": (
        "HIRING_AND_RETIREES", "CADRE_PAY", "HARDSHIP_SUBSIDY", "FUNERAL_GRANT", "STUDY_GRANT",
    ),
    "PUBLIC_SAFETY": ("PUBLIC_SAFETY",),
    "SERVICE": ("SERVICE_REQUEST",),
}  # fmt: skip
_NOT_CIVIL = frozenset(("FAMILY_PLANNING", "VILLAGE_AFFAIRS"))
_CATEGORIES = tuple(
    Category(code, group, civil=group == "DISPUTE" and code not in _NOT_CIVIL)
    for group, codes in _CODES.items()
    for code in codes
)


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    late_days: int = 30
    """How far back `occurred_at` may lie, without an import."""
    future_s: int = 120
    """How far ahead of the clock `occurred_at` may be and still be taken as now."""
    return_limit: int = 2
    """Escalations that may be returned in one cycle, so that no case is sent to and fro for ever.

    Source: a choice of ours; the rule book asks for a limit and gives no number.
    """
    follow_up_attempts: int = 3
    """Attempts to reach the complainant in one cycle; so many in vain count as unreachable."""
    partial_counts: bool = False
    """Whether a case resolved PARTIAL counts as disposed of."""
    small_cell_min: int = 5
    """Counts below this are suppressed for dashboards."""
    dossier: tuple[tuple[DocumentKind, ...], ...] = (
        ("APPLICATION", "ACCEPTANCE_REGISTER"),
        ("RIGHTS_NOTICE",),
        ("IDENTITY_PROOF",),
        ("MEDIATION_RECORD",),
        ("AGREEMENT",),
    )
    """What a mediation's dossier needs: of each group, one document. Source: 人民调解法 art. 27."""
    categories: tuple[Category, ...] = _CATEGORIES
    service_items: tuple[str, ...] = (
        "ATTESTATION",
        "HOUSEHOLD_REGISTRATION",
        "MEDICAL_INSURANCE",
        "PENSION",
        "SUBSIDY_APPLICATION",
        "CERTIFICATE",
        "PROXY_ERRAND",
        "HOME_CARE",
        "OTHER",
    )
    """Source: ATTESTATION from a reported case; the county's 43 aren't public, the rest is a choice."""
    suspension_grounds: tuple[SuspensionGround, ...] = ("HEARING", "COURT", "SURVEY", "EXPERT_OPINION")
    warning_scale: tuple[WarningLevel, ...] = ("RED", "ORANGE", "YELLOW", "BLUE")
    """From the gravest down."""
    safety_risks: frozenset[Risk] = frozenset(("VIOLENCE", "SAFETY_HAZARD"))
    safety_categories: frozenset[str] = frozenset(("PUBLIC_SAFETY",))
    """A case of these categories or with these risks concerns public safety and can't be withdrawn."""

    def category(self, code: str) -> Category | None:
        return next((category for category in self.categories if category.code == code), None)


DEFAULT_POLICY = Policy(id="builtin-1")
