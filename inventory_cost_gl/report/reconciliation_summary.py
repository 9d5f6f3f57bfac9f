"""The figures of the Inventory – G/L Reconciliation, as screen, PDF and tests use them.

Amounts are in company currency and rounded to it. Accounts debited are positive on both
sides; the difference is always G/L less value entries.
"""

from dataclasses import dataclass, field
from itertools import combinations

from .reconciliation_query import CAUSES
from .reconciliation_roles import STOCK_ROLES

# What is summed over the two ledgers' records, and what follows from the sums.
SUMMED = ("value_entry_amount", "gl_amount", *CAUSES)
MEASURES = (*SUMMED[:2], "difference", *CAUSES, "unexplained")


@dataclass
class ReconciliationLine:
    """The two ledgers under one account role, and why they differ."""

    account_role: str
    name: str
    value_entry_amount: float = 0.0
    gl_amount: float = 0.0
    not_posted: float = 0.0
    expected_not_posted: float = 0.0
    posted_by_hand: float = 0.0
    posted_on_other_date: float = 0.0
    posted_to_other_account: float = 0.0
    difference: float = 0.0
    unexplained: float = 0.0
    # Records that nothing explains; they can offset each other to the cent.
    alarm_count: int = 0
    advice: list[str] = field(default_factory=list)

    def add(self, amounts, currency):
        """Add summed amounts; see what of the difference the causes leave.

        The difference comes from the two ledgers' totals alone, not from the causes.
        """
        for measure in SUMMED:
            total = getattr(self, measure) + float(amounts[measure])
            setattr(self, measure, currency.round(total))
        self.difference = currency.round(self.gl_amount - self.value_entry_amount)
        explained = sum(getattr(self, cause) for cause in CAUSES)
        self.unexplained = currency.round(self.difference - explained)

    def amounts(self):
        """Return ``{measure: amount}``."""
        return {measure: getattr(self, measure) for measure in MEASURES}


@dataclass
class MatrixRow:
    """What offsets the stock accounts: an amount for each of them, and its line.

    Transfers between two stock accounts have no line: they are no account of their own.
    """

    name: str
    cells: list[float]
    line: ReconciliationLine | None = None


@dataclass
class Matrix:
    """Business Central's view: stock accounts across, what offsets them down.

    In each column the rows and the value entries below add up to zero.
    """

    columns: list[ReconciliationLine]
    rows: list[MatrixRow]
    measures: tuple[str, ...] = ("value_entry_amount", "gl_amount", "difference")


@dataclass
class Reconciliation:
    """All account roles with figures, and their total."""

    lines: list[ReconciliationLine]
    total: ReconciliationLine
    # {(account role, balancing role): value entry amount}
    balancing: dict[tuple[str, str], float]
    notes: list[str]

    @property
    def fully_explained(self):
        """Whether nothing is left unexplained, not even records that offset."""
        return not self.alarm_count and not any(line.unexplained for line in self.lines)

    @property
    def reconciled(self):
        """Whether the ledgers agree under every role."""
        return self.fully_explained and not any(line.difference for line in self.lines)

    @property
    def alarm_count(self):
        """How many records nothing explains."""
        return sum(line.alarm_count for line in self.lines)

    def occurs(self, measure):
        """Whether a measure is not zero under some role."""
        return any(line.amounts()[measure] for line in self.lines)

    def line(self, account_role):
        """Return the line of a role; one of zeros if the role has no figures."""
        for line in self.lines:
            if line.account_role == account_role:
                return line
        return ReconciliationLine(account_role, account_role)

    def matrix(self):
        """Return the same figures with the stock accounts as columns."""
        columns = [line for line in self.lines if line.account_role in STOCK_ROLES]
        rows = [
            MatrixRow(
                f"{one.name} ↔ {other.name}",
                [
                    self.balancing.get((other.account_role, one.account_role), 0.0)
                    if column is one
                    else self.balancing.get((one.account_role, other.account_role), 0.0)
                    if column is other
                    else 0.0
                    for column in columns
                ],
            )
            for one, other in combinations(columns, 2)
        ] + [
            MatrixRow(
                line.name,
                [
                    self.balancing.get((line.account_role, column.account_role), 0.0)
                    for column in columns
                ],
                line,
            )
            for line in self.lines
            if line not in columns
        ]
        return Matrix(columns, [row for row in rows if row.line or any(row.cells)])
