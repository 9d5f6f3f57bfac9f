"""The records the cost rules read and return.

Amounts are integers in units of the company currency's rounding (cents),
quantities integers in millionths of the product's unit, dates
``datetime.date``, unit costs ``Decimal`` in amount units per 1 unit of product.
Increases are positive, decreases negative, in quantity and in cost.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

QUANTITY_SCALE = 10**6

DIRECT_COST = "direct_cost"
INDIRECT_COST = "indirect_cost"
VARIANCE = "variance"
REVALUATION = "revaluation"
ROUNDING = "rounding"

FIFO = "fifo"
LIFO = "lifo"
AVERAGE = "average"
STANDARD = "standard"
SPECIFIC = "specific"


class CostLoopError(ValueError):
    """An entry's cost depends on itself.

    ``entry_ids`` are the ledger entries of the loop, in the order of dependence.
    """

    def __init__(self, entry_ids):
        self.entry_ids = list(entry_ids)
        chain = " → ".join(str(entry_id) for entry_id in self.entry_ids)
        super().__init__(f"The cost of these ledger entries depends on itself: {chain}")


@dataclass(slots=True)
class Settings:
    """The company's costing settings.

    ``average_cost_period`` is transaction, day, week, month, quarter or year,
    ``average_cost_calc_type`` item or item_location; they count from
    ``average_cost_since`` on and before ``average_cost_until`` (None: without limit).
    Adjustments dated before ``first_open_date`` are posted on it (None: every date is
    open).
    """

    average_cost_period: str = "transaction"
    average_cost_calc_type: str = "item"
    first_open_date: date | None = None
    average_cost_since: date | None = None
    average_cost_until: date | None = None

    def counts_on(self, day):
        """Is the average of that day worked out by these settings?"""
        since, until = self.average_cost_since, self.average_cost_until
        return (since is None or day >= since) and (until is None or day < until)


@dataclass(slots=True)
class Item:
    """A product as costing sees it; ``unit_cost`` is the standard cost if standard."""

    id: int = 0
    costing_method: str = FIFO
    unit_cost: Decimal = Decimal(0)
    indirect_cost_pct: Decimal = Decimal(0)
    overhead_rate: Decimal = Decimal(0)


@dataclass(slots=True)
class Cost:
    """A value entry. Ids increase in the order of recording; 0: not recorded yet.

    ``expected_only``: recorded with nothing invoiced. ``invoiced_quantity`` and
    ``applies_to`` (id of the adjusted cost) let an adjustment follow each invoice
    of a decrease. ``charge``: stated by a source beside the cost of the goods
    themselves (item charge, landed cost); on entries whose own cost the engine
    derives it is left alone. ``invoice``: stated by a bill, or by a write-off, which
    is a bill of 0. Neither is for what a correction took back of the entry.
    """

    id: int = 0
    entry_type: str = DIRECT_COST
    variance_type: str = ""
    actual: int = 0
    expected: int = 0
    posting_date: date | None = None
    valuation_date: date | None = None
    adjustment: bool = False
    valued_quantity: int = 0
    partial_revaluation: bool = False
    expected_only: bool = False
    invoiced_quantity: int = 0
    applies_to: int = 0
    charge: bool = False
    invoice: bool = False


@dataclass(slots=True)
class Entry:
    """A ledger entry. Ids increase in the order of recording, so do its ``costs``.

    ``applies_to``: the increase a decrease is fixed to. ``applies_from``: the
    decrease whose cost an increase takes back: the sale of an exact return, the
    departure of a transfer's arrival; ``transferred_from`` is then the layer the
    arrival carries over (0: whatever of the departure has no arrival of its own).
    ``reverses``: the entry this one undoes. ``order`` is the production order.
    """

    id: int
    entry_type: str
    quantity: int
    remaining: int
    posting_date: date
    valuation_date: date
    location: int = 0
    lot: int = 0
    invoiced: int = 0
    applies_to: int = 0
    applies_from: int = 0
    transferred_from: int = 0
    reverses: int = 0
    order: object = None
    costs: list[Cost] = field(default_factory=list)

    @property
    def fixed_to(self):
        """Id of the increase this decrease is fixed to, 0 if none."""
        return self.applies_to or (self.reverses if self.quantity < 0 else 0)

    @property
    def source(self):
        """Id of the decrease this increase takes its cost from, 0 if none."""
        if self.quantity < 0:
            return 0
        return self.applies_from or self.reverses


@dataclass(slots=True)
class Application:
    """A quantity (always > 0; < 0 takes an earlier one back) of one increase
    supplied to one decrease, and whether its cost follows."""

    inbound_id: int
    outbound_id: int
    quantity: int
    cost_follows: bool = True


@dataclass(slots=True)
class Balance:
    """Quantity and value (actual + expected) of a pool."""

    quantity: int = 0
    value: int = 0


@dataclass(slots=True)
class Book:
    """What is loaded of ONE item: the whole history, or what changed and its context.

    ``entries`` by id, ``applications`` in the order of recording. ``affected``:
    ids of the entries whose cost may be computed anew, None for all; the others
    are context and keep the cost recorded. Beside the affected ones there must be

    - the increases an affected decrease is applied to;
    - the source of an affected increase that takes a decrease's cost; of a
      transfer's arrival also the departure's other arrivals and its layers;
    - every application of an increase that has a partial revaluation, or that is
      affected and used up (it may need rounding), and for the former the
      decreases too;
    - the decreases that reverse an increase.

    Average items: ``opening`` holds, per pool key (see :func:`pool_of`), all that
    is valued before ``opening_date``, which is the first day of an average
    period; what is valued on it or later must be loaded. Entries before it are
    context. None: the whole history is loaded and there is no opening.
    """

    settings: Settings
    item: Item
    entries: dict[int, Entry] = field(default_factory=dict)
    applications: list[Application] = field(default_factory=list)
    opening: dict[object, Balance] = field(default_factory=dict)
    affected: set[int] | None = None
    opening_date: date | None = None


@dataclass(slots=True)
class Adjustment:
    """A value entry to append to a ledger entry.

    ``first``: the entry has no cost yet, this is its own first cost and no
    adjustment. ``cause``: id of the newest cost upstream that is no adjustment
    (0: none). ``applies_to_cost``: id of the cost this corrects (0: none).
    """

    entry_id: int
    entry_type: str
    variance_type: str
    actual: int
    expected: int
    valuation_date: date
    posting_date: date
    cause: int = 0
    applies_to_cost: int = 0
    first: bool = False


def pool_of(entry, book):
    """Key of the pool an entry's quantity and value belong to.

    Average: None for the item as a whole, the location if the calculation type
    is item_location. Any other method: (location, lot), within which goods are
    applied.
    """
    if book.item.costing_method != AVERAGE:
        return entry.location, entry.lot
    if book.settings.average_cost_calc_type == "item":
        return None
    return entry.location
