"""What receipts, their invoices and item charges state (reference a.4, c.9)."""

from dataclasses import dataclass
from decimal import Decimal

from .records import (
    DIRECT_COST,
    INDIRECT_COST,
    QUANTITY_SCALE,
    REVALUATION,
    STANDARD,
    VARIANCE,
    Cost,
)
from .rounding import amount_of, round_amount, share

# The variance type of what a bill costs beside the standard cost.
PURCHASE = "purchase"


@dataclass(slots=True)
class Billed:
    """How far a bill line is spread over the receipts it invoices."""

    quantity: int = 0
    amount: int = 0

    def add(self, quantity, amount):
        """Count what the bill line stated, or took back, of a receipt."""
        self.quantity += quantity
        self.amount += amount

    def part(self, quantity, amount, whole):
        """What of the line's ``amount`` for ``whole`` a further quantity costs.

        Whatever was rounded before is made up for: all parts together are the share
        of the quantity they cover, and the amount itself once that is the whole.
        """
        return share(amount, self.quantity + quantity, whole) - self.amount


@dataclass(slots=True)
class InvoiceStatement:
    """What one invoice contributes to the cost of one receipt, as amounts to add.

    ``expected`` and ``revaluations``, costs, reverse expected cost (usually
    negative), the others are actual.
    """

    invoiced_quantity: int
    expected: int
    revaluations: list[Cost]
    direct: int
    indirect: int
    variance: int

    def costs(self):
        """The :class:`Cost` rows to record, direct cost first."""
        costs = [
            Cost(
                actual=self.direct,
                expected=self.expected,
                invoiced_quantity=self.invoiced_quantity,
            ),
            *self.revaluations,
        ]
        if self.indirect:
            costs.append(Cost(entry_type=INDIRECT_COST, actual=self.indirect))
        if self.variance:
            costs.append(
                Cost(entry_type=VARIANCE, variance_type=PURCHASE, actual=self.variance)
            )
        return costs


def indirect_cost(item, direct, quantity):
    """The item's overhead on what was bought or made."""
    return overhead_on(direct, quantity, item.indirect_cost_pct, item.overhead_rate)


def overhead_on(direct, quantity, indirect_pct, overhead_rate):
    """Overhead on a direct cost: percentage plus rate per unit, rounded once."""
    overhead = Decimal(direct) * indirect_pct / 100
    return round_amount(overhead + overhead_rate * quantity / QUANTITY_SCALE)


def expected_cost(item, quantity, unit_price):
    """Expected cost of a receipt: order price and overhead, or the standard cost.

    ``unit_price`` is net of discount, in amount units per 1 unit of product.
    """
    if item.costing_method == STANDARD:
        return amount_of(quantity, item.unit_cost)
    with_overhead = unit_price * (1 + item.indirect_cost_pct / 100)
    return amount_of(quantity, with_overhead + item.overhead_rate)


def expected_cost_of_part(item, quantity, unit_price, received_before):
    """Expected cost of one receipt or lot of an order line.

    ``received_before``: what of the line was received earlier at that price. The
    parts add up to the cent to the expected cost of the line.
    """
    total = expected_cost(item, received_before + quantity, unit_price)
    return total - expected_cost(item, received_before, unit_price)


def expected_to_reverse(costs, entry_type, invoiced, quantity, receipt_quantity):
    """Expected cost (positive) that invoicing ``quantity`` takes back.

    ``invoiced`` is what was invoiced before. The invoice that completes the
    receipt takes back all that is left, an earlier one its share of what was
    first expected; adjustments do not count as such.
    """
    own = [cost for cost in costs if cost.entry_type == entry_type]
    left = sum(cost.expected for cost in own)
    if invoiced + quantity >= receipt_quantity:
        return left
    original = sum(c.expected for c in own if c.expected_only and not c.adjustment)
    return share(original, quantity, receipt_quantity)


def invoice_statement(item, entry, quantity, amount):
    """What an invoice of ``quantity`` at ``amount`` states on a receipt.

    ``amount``: net cost in company currency, rounded. A standard item stays at
    its current standard cost, the rest is purchase variance (rule 10). A
    negative quantity and amount (credit note, reset) state the reverse.
    """
    direct_back = expected_to_reverse(
        entry.costs, DIRECT_COST, entry.invoiced, quantity, entry.quantity
    )
    indirect = indirect_cost(item, amount, quantity)
    variance = 0
    if item.costing_method == STANDARD:
        variance = amount_of(quantity, item.unit_cost) - amount - indirect
    revaluations = revaluations_to_reverse(entry, quantity)
    return InvoiceStatement(
        quantity, -direct_back, revaluations, amount, indirect, variance
    )


def revaluations_to_reverse(entry, quantity):
    """Costs that take back the expected revaluations of what is invoiced.

    Each covers what its revaluation covered, from the same date on: goods that
    left before it are not touched.
    """
    revaluations = {}
    for cost in entry.costs:
        if cost.entry_type == REVALUATION:
            covered = (
                cost.valuation_date,
                cost.valued_quantity,
                cost.partial_revaluation,
            )
            revaluations.setdefault(covered, []).append(cost)
    reversals = []
    for (valuation_date, valued_quantity, partial), costs in revaluations.items():
        back = expected_to_reverse(
            costs, REVALUATION, entry.invoiced, quantity, entry.quantity
        )
        if back:
            reversals.append(
                Cost(
                    entry_type=REVALUATION,
                    expected=-back,
                    valuation_date=valuation_date,
                    valued_quantity=valued_quantity,
                    partial_revaluation=partial,
                )
            )
    return reversals


def charge_variance(item, amount):
    """Purchase variance an item charge causes: a standard item stays at standard."""
    return -amount if item.costing_method == STANDARD else 0


def split_amount(amount, quantities):
    """An amount spread over quantities; the cents add up, the last takes the rest."""
    total = sum(quantities)
    parts, done, given = [], 0, 0
    for quantity in quantities:
        done += quantity
        parts.append(share(amount, done, total) - given)
        given += parts[-1]
    return parts
