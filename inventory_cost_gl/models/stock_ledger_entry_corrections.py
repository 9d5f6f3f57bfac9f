from collections import defaultdict
from dataclasses import dataclass

from odoo import models
from odoo.tools import SQL

from .stock_ledger_entry import RECORDED_COLUMNS


@dataclass
class Returnable:
    """What of a ledger entry can still be taken back.

    ``standing``: by its own move, whatever became of the goods; ``left``: by another
    move's return.
    """

    entry: models.Model
    standing: float
    left: float

    def take(self, quantity, location_id, move):
        """Use up to ``quantity`` (signed, opposite to the entry's) and return it.

        An increase is taken back only where it was recorded: elsewhere the goods have
        been transferred and are another layer.
        """
        if quantity * self.entry.quantity >= 0 or (
            quantity < 0 and self.entry.cost_location_id.id != location_id
        ):
            return 0.0
        own = move == self.entry.stock_move_id
        taken = max(0.0, min(abs(quantity), self.standing if own else self.left))
        self.use(taken)
        return taken if quantity > 0 else -taken

    def use(self, quantity):
        """Take note that a quantity is taken back."""
        self.standing = round(self.standing - quantity, 6)
        self.left = round(self.left - quantity, 6)


def transfer_key(source_id, destination_id, lot_id, quantity):
    """Return ``(key, quantity)`` of a transfer, the same for both of its directions.

    A key is ``(entry type, cost location, lot, arrival location)``, and the quantity
    what the first location gets: negative where goods leave it.
    """
    if source_id < destination_id:
        return ("transfer", source_id, lot_id, destination_id), -quantity
    return ("transfer", destination_id, lot_id, source_id), quantity


class StockLedgerEntry(models.Model):
    """What is recorded of moves, and how it is taken back."""

    _inherit = "stock.ledger.entry"

    def _recorded_quantities(self, reversals=()):
        """Return ``{move id: {key: quantity}}``, keys as of ``transfer_key``.

        A transfer counts where it arrives; others have no arrival location.
        ``reversals``: rows of ``_prepare_reversals`` that are about to be recorded.
        """
        recorded = defaultdict(lambda: defaultdict(float))
        rows = [(e.stock_move_id.id, e._moved_quantity()) for e in self]
        for row in reversals:
            key = (row["entry_type"], row["cost_location_id"], row.get("lot_id"), False)
            moved = key, row["quantity"]
            if row.get("arrival_location_id"):
                places = row["cost_location_id"], row["arrival_location_id"]
                moved = transfer_key(*places, row.get("lot_id"), -row["quantity"])
            rows.append((row["stock_move_id"], moved))
        for move_id, (key, quantity) in rows:
            recorded[move_id][(*key[:2], key[2] or False, key[3])] += quantity
        return recorded

    def _moved_quantity(self):
        """Return ``(key, quantity)`` of what the entry says its move moved."""
        self.ensure_one()
        departure = self.applies_from_entry_id
        if self.entry_type != "transfer":
            key = (self.entry_type, self.cost_location_id.id, self.lot_id.id, False)
            return key, self.quantity
        if self.quantity < 0:
            # It is counted where it arrives.
            return ("transfer", self.cost_location_id.id, self.lot_id.id, False), 0.0
        places = departure.cost_location_id.id, self.cost_location_id.id
        return transfer_key(*places, self.lot_id.id, self.quantity)

    def _taken_back(self):
        """Return ``{entry id: (reversed, returned)}``: signed quantities that the
        entries' own moves, and other moves' returns, took back of them.

        What takes an entry back may have been reversed itself.
        """
        self.env.cr.execute(
            SQL(
                """
                SELECT e.id, own.quantity, COALESCE(other.quantity, 0)
                FROM stock_ledger_entry e
                CROSS JOIN LATERAL (
                    SELECT COALESCE(sum(r.quantity), 0) AS quantity
                    FROM stock_ledger_entry r WHERE r.reverses_entry_id = e.id
                ) AS own
                CROSS JOIN LATERAL (
                    SELECT sum(t.quantity + COALESCE((
                        SELECT sum(r.quantity) FROM stock_ledger_entry r
                        WHERE r.reverses_entry_id = t.id), 0)) AS quantity
                    FROM stock_ledger_entry t
                    WHERE (t.applies_to_entry_id = e.id
                           OR t.applies_from_entry_id = e.id)
                      AND t.stock_move_id IS DISTINCT FROM e.stock_move_id
                ) AS other
                WHERE e.id = ANY(%s)
                """,
                list(self.ids),
            )
        )
        return {row[0]: row[1:] for row in self.env.cr.fetchall()}

    def _standing_quantities(self):
        """Return ``{entry: quantity}`` of what was moved and not reversed since.

        0 of what itself takes back an entry of its own move.
        """
        taken_back = self._taken_back() if self else {}
        return {
            entry: 0.0
            if entry._is_given_back()
            else round(entry.quantity + taken_back[entry.id][0], 6)
            for entry in self
        }

    def _is_given_back(self):
        """Say whether the entry itself takes back an entry of its own move."""
        self.ensure_one()
        departure = self.applies_from_entry_id
        return bool(
            self.reverses_entry_id
            or (self.entry_type == "transfer" and departure.reverses_entry_id)
        )

    def _returnable_quantities(self, reversals=()):
        """Return ``{(move id, entry type, lot): [Returnable]}``, in the order given.

        A move's correction takes back what of its entries stands, but for what other
        moves returned of them; a return what is left in stock of an increase, and
        what has not been returned yet of a decrease. Goods that a correction gave
        back can be taken again, what it took back is gone. Of moves that are recorded
        anew (``reversals``) nothing is left to take back.
        """
        taken_back = self._taken_back() if self else {}
        by_entry = {}
        for entry in self:
            left = entry.remaining_quantity
            standing = abs(entry.quantity + sum(taken_back[entry.id]))
            if entry.quantity < 0:
                left = standing
            if entry._is_given_back():
                standing = left = max(0.0, entry.remaining_quantity)
            by_entry[entry.id] = Returnable(entry, standing, left)
        anew = set()
        for row in reversals:
            entry = by_entry[row["reverses_entry_id"]].entry
            anew.add(entry.stock_move_id)
            tied = entry.applies_from_entry_id or entry.applies_to_entry_id
            if entry.quantity > 0 and tied.id in by_entry:
                by_entry[tied.id].use(row["quantity"])
        returnable = defaultdict(list)
        for entry in self:
            if entry.stock_move_id not in anew:
                key = (entry.stock_move_id.id, entry.entry_type, entry.lot_id.id)
                returnable[key].append(by_entry[entry.id])
        return returnable

    def _prepare_reversals(self):
        """Return rows that reverse what of the entries is not reversed yet.

        A transfer is reversed by a transfer back of what arrived. What other moves
        returned of an increase stays with it.
        """
        taken_back = self._taken_back() if self else {}
        rows = []
        for entry in self:
            reversed_quantity, returned = taken_back[entry.id]
            departs = entry.entry_type == "transfer" and entry.quantity < 0
            if departs or entry._is_given_back():
                continue
            left = round(
                entry.quantity
                + reversed_quantity
                + (returned if entry.quantity > 0 else 0.0),
                6,
            )
            if left:
                rows.append(entry._prepare_reversal(left))
        return rows

    def _prepare_reversal(self, quantity):
        """Return the row that reverses a quantity of the entry, of the entry's sign."""
        self.ensure_one()
        row = {
            name: self[name].id if self._fields[name].type == "many2one" else self[name]
            for name in RECORDED_COLUMNS
            if self[name]
        }
        departure = self.entry_type == "transfer" and self.applies_from_entry_id
        for name in ("transferred_from", "applies_to", "applies_from"):
            row.pop(f"{name}_entry_id", None)
        fixed = "applies_to_entry_id" if quantity > 0 else "applies_from_entry_id"
        row |= {
            "valuation_date": self.posting_date,
            "quantity": -quantity,
            "reverses_entry_id": self.id,
            fixed: self.id,
        }
        if departure:
            row["arrival_location_id"] = departure.cost_location_id.id
        return row
