"""Grouping of value entry amounts into journal entries.

Amounts are integers in the currency's smallest unit (or Decimals): sums are exact.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

POSTING_GROUP, DOCUMENT, ENTRY = "posting_group", "document", "entry"
GRANULARITIES = (POSTING_GROUP, DOCUMENT, ENTRY)


class Accounts(NamedTuple):
    """The two roles of an amount and the accounts that they stand for."""

    role1: str
    role2: str
    account1: int
    account2: int


class Dimensions(NamedTuple):
    """What else than the accounts keeps journal items apart per posting group."""

    cost_location: int | None = None
    inventory_group: int | None = None
    business_group: int | None = None
    product_group: int | None = None


@dataclass(slots=True)
class Cost:
    """Amounts of value entries that go to the same accounts on the same date.

    ``date`` is that of the journal entry, ``posting_date`` that of the value entries.
    ``amounts`` are those of ``value_entry_ids``, in their order and of one sign: a
    positive amount debits account 1 and credits account 2. ``analytic`` is the analytic
    distribution as text, in a form that is equal for equal distributions.
    """

    date: date
    posting_date: date
    kind: str
    accounts: Accounts
    value_entry_ids: list
    amounts: list
    document: str = ""
    analytic: str = ""
    dimensions: Dimensions = Dimensions()


@dataclass(slots=True)
class LinePair:
    """A debit and a credit of the same amount, and the value entries behind them.

    ``label`` is what the journal items are called; it is given later.
    """

    posting_date: date
    debit_account: int
    credit_account: int
    debit_role: str
    credit_role: str
    kind: str
    analytic: str
    dimensions: Dimensions
    value_entry_ids: list = field(default_factory=list)
    amounts: list = field(default_factory=list)
    label: str = ""

    @property
    def amount(self):
        """What is debited and credited; positive."""
        return abs(sum(self.amounts))


@dataclass(slots=True)
class JournalEntry:
    """The line pairs that are posted together; without a document: of all of them."""

    date: date
    document: str
    pairs: list


def _sign(cost):
    """Return whether the cost is negative; its amounts have one sign."""
    return cost.amounts[0] < 0


def _key(cost, granularity):
    """Return what the costs of one line pair have in common.

    Business Central posts increases and decreases apart: so the sign is part of it.
    """
    key = (cost.posting_date, cost.kind, cost.accounts, cost.analytic, _sign(cost))
    return (*key, cost.dimensions) if granularity == POSTING_GROUP else key


def _pair(cost):
    """Return the empty line pair of a cost: a negative amount turns it round."""
    role1, role2, account1, account2 = cost.accounts
    if _sign(cost):
        role1, role2, account1, account2 = role2, role1, account2, account1
    return LinePair(
        posting_date=cost.posting_date,
        debit_account=account1,
        credit_account=account2,
        debit_role=role1,
        credit_role=role2,
        kind=cost.kind,
        analytic=cost.analytic,
        dimensions=cost.dimensions,
    )


def _pairs(costs, granularity):
    """Return the line pairs of the costs of one date and document."""
    if granularity == ENTRY:
        return [
            _filled(_pair(cost), [value_entry], [amount])
            for cost in costs
            for value_entry, amount in zip(
                cost.value_entry_ids, cost.amounts, strict=True
            )
        ]
    pairs = {}
    for cost in costs:
        key = _key(cost, granularity)
        if key not in pairs:
            pairs[key] = _pair(cost)
        _filled(pairs[key], cost.value_entry_ids, cost.amounts)
    return list(pairs.values())


def _filled(pair, value_entry_ids, amounts):
    """Add value entries to a line pair; return it."""
    pair.value_entry_ids.extend(value_entry_ids)
    pair.amounts.extend(amounts)
    return pair


def journal_entries(costs, granularity, max_pairs=1000):
    """Return the ``JournalEntry`` list of the costs, in order of date and document.

    One journal entry for each date, or for each date and document where the
    granularity is ``document`` or ``entry``; one of more than ``max_pairs`` line pairs
    is cut into several. No cost may be zero.
    """
    batches = {}
    for cost in costs:
        document = "" if granularity == POSTING_GROUP else cost.document
        batches.setdefault((cost.date, document), []).append(cost)
    entries = []
    for (day, document), batch in sorted(batches.items(), key=lambda item: item[0]):
        pairs = _pairs(batch, granularity)
        entries.extend(
            JournalEntry(day, document, pairs[start : start + max_pairs])
            for start in range(0, len(pairs), max_pairs)
        )
    return entries
