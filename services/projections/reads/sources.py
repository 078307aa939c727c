"""What the reads are made from, gathered once per process."""

from collections.abc import Callable
from dataclasses import dataclass

from services.projections.reads.progress import Progress
from shared.policy.policy import Policy
from shared.runtime.database import Pool
from shared.runtime.trees import Trees
from shared.runtime.vault import Vault

Summary = Callable[[str, str], str]
"""From the topic of an event and a language to what a timeline says of it."""


@dataclass(frozen=True, kw_only=True)
class Sources:
    pool: Pool
    trees: Trees
    vault: Vault
    policy: Policy
    progress: Progress
    summary: Summary
