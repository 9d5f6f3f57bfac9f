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

    ``expected`` and ``expected_revaluation`` reverse expected cost (usually
    negative), the others are actual.
    """

    invoiced_quantity: int
    expected: int
    expected_revaluation: int
    direct: int
    indirect: int
    variance: int

    def parts(self):
        """``[(entry type, variance type, expected, actual)]``, direct cost first."""
        parts = [(DIRECT_COST, None, self.expected, self.direct)]
        if self.expected_revaluation:
            parts.append((REVALUATION, None, self.expected_revaluation, 0))
        if self.indirect:
            parts.append((INDIRECT_COST, None, 0, self.indirect))
        if self.variance:
            parts.append((VARIANCE, PURCHASE, 0, self.variance))
        return parts


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
    direct_back = _reversed_expected(entry, DIRECT_COST, quantity)
    revaluation_back = _reversed_expected(entry, REVALUATION, quantity)
    indirect = indirect_cost(item, amount, quantity)
    variance = 0
    if item.costing_method == STANDARD:
        variance = amount_of(quantity, item.unit_cost) - amount - indirect
    return InvoiceStatement(
        quantity, -direct_back, -revaluation_back, amount, indirect, variance
    )


def revaluation_fields(entry):
    """What the reversal of an entry's expected revaluation takes over of it.

    It covers what the last revaluation covered, from the same date on.
    """
    last = [cost for cost in entry.costs if cost.entry_type == REVALUATION][-1]
    return {
        "valuation_date": last.valuation_date,
        "valued_quantity": last.valued_quantity,
        "partial_revaluation": last.partial_revaluation,
    }


def _reversed_expected(entry, entry_type, quantity):
    return expected_to_reverse(
        entry.costs, entry_type, entry.invoiced, quantity, entry.quantity
    )


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
