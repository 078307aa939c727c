"""Rule packs: versioned YAML that a township clerk can read, made into the rules that `decide` is given.

A pack extends another by `extends`: tables join key by key, everything else is replaced. What comes of
it is kept whole as `content`, under its hash, and read again from there, never from a file.
"""

from collections.abc import Callable
from hashlib import sha256
from importlib import resources
from typing import Any, Final

import msgspec

from shared.policy.packs.checks import failures
from shared.policy.packs.document import Document, Rule
from shared.policy.packs.faults import Fault, PackBroken
from shared.policy.packs.shape import Shaper
from shared.policy.packs.tree import Leaf, Path, Table, Tree, fault_at, merged, read_tree
from shared.policy.policy import Policy, Title

__all__ = ["DEFAULT_POLICY", "SHIPPED", "Fault", "Pack", "PackBroken", "pack_of", "read_pack", "shipped"]

SHIPPED: Final = ("cn-default", "shanghai-pudong", "jiangsu-haimen")
_OWN: Final = frozenset(("name", "version", "title", "extends"))
"""What a pack never inherits."""


class Pack(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    version: int
    title: Title
    content: bytes
    """JSON of the whole pack after inheritance; the keys stand in the order of the rules."""
    hash: str
    """SHA-256 of the content, in hex."""
    policy: Policy


def shipped(name: str) -> str | None:
    """The YAML of a pack that comes with the product."""
    if name not in SHIPPED:
        return None
    return (resources.files(__name__) / f"{name}.yaml").read_text(encoding="utf-8")


def read_pack(text: str, *, file: str, parent: Callable[[str], str | None] = shipped) -> Pack:
    """The pack that a YAML text describes; `parent` gives the text of the pack it extends.

    Raises: PackBroken, with every fault that was found.
    """
    faults: list[Fault] = []
    tree = _whole(text, file, parent, faults, ())
    whole = all(fault.field != "extends" for fault in faults)
    shaper = Shaper(faults, whole=whole)
    plain = shaper.shaped(tree, msgspec.inspect.type_info(Document))
    broken = {fault.field.split(".")[0] for fault in faults}
    sections = {
        field.name: msgspec.convert(plain[field.name], field.type)
        for field in msgspec.structs.fields(Document)
        if whole and field.name in plain and field.name not in broken
    }
    faults += [
        fault_at(_nearest(shaper.places, path, file), path, message) for path, message in failures(sections)
    ]
    if faults:
        raise PackBroken(sorted(faults, key=lambda fault: (fault.file != file, fault.file, fault.line)))
    return pack_of(msgspec.json.encode(Document(**sections)))


def pack_of(content: bytes) -> Pack:
    """The pack that was kept; only its shape is looked at again, so rules once adopted stay readable.

    Raises: msgspec.DecodeError, if it isn't the content of a pack.
    """
    document = msgspec.json.decode(content, type=Document)
    digest = sha256(content).hexdigest()
    return Pack(
        name=document.name,
        version=document.version,
        title=document.title,
        content=content,
        hash=digest,
        policy=_policy(document, f"{document.name}@{document.version}+{digest[:12]}"),
    )


def _whole(
    text: str, file: str, parent: Callable[[str], str | None], faults: list[Fault], below: tuple[str, ...]
) -> Table:
    """The tree of a pack over that of what it extends, and so on up."""
    tree = read_tree(text, file, faults)
    extends = tree.entries.pop("extends", None)
    if extends is None:
        return tree
    name = extends.text if isinstance(extends, Leaf) else ""
    found = None if name in below else parent(name)
    if found is None:
        reason = "extends itself" if name in below else "there is no pack of that name"
        faults.append(fault_at(extends, ("extends",), reason))
        return tree
    base = _whole(found, f"{name}.yaml", parent, faults, (*below, name))
    inherited = {key: each for key, each in base.entries.items() if key not in _OWN}
    joined = merged(base._replace(entries=inherited), tree)
    assert isinstance(joined, Table)
    return joined


def _nearest(places: dict[Path, Tree], path: Path, file: str) -> Tree:
    """The part of that file at a path or closest above it: what doesn't fit together was joined there."""
    while path and (path not in places or places[path].file != file):
        path = path[:-1]
    return places[path]


def _policy(document: Document, policy_id: str) -> Policy:
    """The rules without what is said about each single value; sections and fields have the same names."""
    sections = {name: getattr(document, name) for name in Policy.__struct_fields__ if name != "id"}
    rules: dict[str, Any] = {
        name: rule.value if isinstance(rule, Rule) else rule for name, rule in sections.items()
    }
    return Policy(id=policy_id, **rules)


def _default() -> Policy:
    text = shipped("cn-default")
    assert text is not None
    return read_pack(text, file="cn-default.yaml").policy


DEFAULT_POLICY: Final = _default()
"""The rules of the shipped `cn-default`, which hold where no others were adopted."""
