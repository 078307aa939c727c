"""The routes of the projections: everything that is read."""

from collections.abc import Sequence

from services.projections.api import (
    cases,
    figures,
    inbox,
    merging,
    publications,
    register,
    rules,
    search,
    streams,
    unmasking,
    what_if,
)
from services.projections.reads.reads import Reads
from shared.runtime.sign_in import SignIn
from shared.runtime.web import Operation


def operations(reads: Reads, sign_in: SignIn) -> Sequence[Operation]:
    return (
        *cases.operations(reads),
        merging.operation(reads),
        search.operation(reads),
        unmasking.operation(reads),
        *figures.operations(reads),
        *publications.operations(reads),
        inbox.operation(reads),
        *what_if.operations(reads),
        *register.operations(reads),
        rules.operation(reads),
        *streams.operations(reads, sign_in),
    )
