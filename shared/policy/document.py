"""The transition table as a page: one row for each command, its guards, and a picture of the states.

`python -m shared.policy.document` writes docs/reference/transitions.md.
"""

from pathlib import Path

from shared.events.vocabulary import OPEN_STATES
from shared.policy.labels import RELATIONS
from shared.policy.relations import Relation
from shared.policy.rules import GUARDS
from shared.policy.transitions import ALL_STATES, ALWAYS, ANY, SAME, TRANSITIONS, Transition

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "transitions.md"


def transitions_page() -> str:
    """The whole page as Markdown."""
    return "\n".join(
        [
            "# Transitions",
            "",
            "Generated from `shared/policy/transitions.py` by `python -m shared.policy.document`.",
            "",
            "A command marked + only adds to a case: it needs no `If-Match` and makes nobody's stale. Who is",
            "a relation to the case; *behalf*: holder and mediator may send it `on_behalf_of` that person.",
            f"Every command is also guarded by {', '.join(f'`{code}`' for code in ALWAYS)}.",
            "",
            "| Command | From | Who | Events | To | Guards |",
            "|---|---|---|---|---|---|",
            *(_line(row) for row in TRANSITIONS.values()),
            "",
            "## Relations",
            "",
            "| Relation | Is | 是 |",
            "|---|---|---|",
            *(
                f"| `{relation}` | {RELATIONS[relation].en} | {RELATIONS[relation].zh} |"
                for relation in Relation
            ),
            "",
            "## Guards",
            "",
            "| Code | Says | Source |",
            "|---|---|---|",
            *(f"| `{code}` | {rule.en} | {rule.source} |" for code, rule in GUARDS.items()),
            "",
            "## States",
            "",
            "```mermaid",
            "stateDiagram-v2",
            *_diagram(),
            "```",
            "",
        ]
    )


def _line(row: Transition) -> str:
    name = f"`{row.command}`{' +' if row.adds else ''}"
    who = ", ".join(f"`{relation}`" for relation in Relation if relation in row.who)
    if row.on_behalf:
        who += ", *behalf*"
    events = ", ".join(f"`{topic}`" for topic in row.topics)
    guards = ", ".join(f"`{code}`" for code in row.guards)
    return f"| {name} | {_from(row)} | {who} | {events} | {row.to.replace('|', 'or')} | {guards} |"


def _from(row: Transition) -> str:
    if row.creates:
        states = "–"
    elif row.states == ANY:
        states = "any"
    elif row.states == OPEN_STATES:
        states = "any open"
    else:
        states = ", ".join(state for state in ALL_STATES if state in row.states)
    if row.procedures is not None:
        states += f"; only {', '.join(sorted(row.procedures))}"
    if row.not_in:
        states += f"; not in {', '.join(sorted(row.not_in))}"
    return states


def _diagram() -> list[str]:
    edges: dict[tuple[str, str], list[str]] = {}
    for row in TRANSITIONS.values():
        for target in row.to.split(" | "):
            if target == SAME:
                continue
            sources: list[str] = [state for state in ALL_STATES if state in row.states] or ["[*]"]
            for source in sources:
                edges.setdefault((source, target), []).append(row.command)
    return [f"    {source} --> {target}: {', '.join(names)}" for (source, target), names in edges.items()]


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(transitions_page(), encoding="utf-8")
