from odoo import models
from odoo.tools import SQL, format_date

from ..costing.invoice_matching import Line, match, set_off
from ..costing.invoicing import invoicing
from ..costing.receipts import expected_to_reverse
from ..costing.records import DIRECT_COST, Cost
from ..engine.load import Loader
from ..engine.units import Units


class OrderLineMixin(models.AbstractModel):
    """Order lines whose bills or invoices turn expected cost into actual cost.

    Bills and invoices know order lines only; which ledger entries they invoice is
    decided by ``costing.invoice_matching`` and recorded with the value entries.
    """

    _name = "inventory.order.line.mixin"
    _description = "Order Line with Inventory Cost"

    def _state_invoicing(self, company):
        """State what posted bills or invoices of these lines contribute now.

        Run after a bill, an invoice or a receipt changed: it records the difference to
        what was recorded before, nothing when nothing changed.
        """
        lines = self.sudo().with_company(company)._filter_managed()
        entries = lines._inventory_ledger_entries()
        if not entries:
            return
        self.env["inventory.cost.guard"]._hold(company)
        units = Units(company.currency_id)
        recorded = entries._invoiced_by_source()
        changes = []
        by_line = entries.grouped(lambda entry: entry._inventory_order_line())
        for line, own in by_line.items():
            changes += line._invoicing_changes(own, recorded, units)
        if changes:
            value_entries = InvoicingWriter(lines, company, units, changes).append()
            self.env["stock.cost.item"]._update(company, value_entries)

    def _filter_managed(self):
        """Return the lines of products managed in ``self.env.company``."""
        managed = self.product_id._filter_managed()
        return self.filtered(lambda line: line.product_id in managed)

    def _inventory_ledger_entries(self):
        """Return the ledger entries that bills or invoices of the lines invoice."""
        entries = self.env["stock.ledger.entry"].search(
            [
                ("stock_move_id", "in", self.move_ids.ids),
                ("entry_type", "in", ("purchase", "sale")),
            ],
            order="id",
        )
        # A drop shipment's entries belong to two order lines, a kit's to none.
        lines = set(self)
        return entries.filtered(lambda entry: entry._inventory_order_line() in lines)

    def _invoicing_changes(self, entries, recorded, units):
        """Return ``[(model, source, entry id, recorded, new)]`` of an order line.

        Quantities are in millionths, in the order's direction.
        """
        self.ensure_one()
        sign = self._inventory_direction()
        recorded = {
            key: sign * units.quantity(quantity)
            for entry in entries
            for key, quantity in recorded.get(entry.id, {}).items()
        }
        documents = [
            Line(("account.move.line", line.id), units.quantity(quantity))
            for line, quantity in self._inventory_document_lines()
        ]
        reversed_ = entries._reversed_quantities(sign, units)
        settled = {
            key: q
            for key, q in recorded.items()
            if key[0][0] == "stock.move" and key not in reversed_
        }
        lines = []
        for entry in entries:
            free = sign * units.quantity(entry.quantity)
            free -= sum(
                q for (_s, entry_id), q in settled.items() if entry_id == entry.id
            )
            free -= sum(
                q for (_s, entry_id), q in reversed_.items() if entry_id == entry.id
            )
            lines.append(Line(entry.id, free))
        invoiced = {key: q for key, q in recorded.items() if key[0][0] != "stock.move"}
        target = match(lines, documents, invoiced)
        moves = {entry.id: entry.stock_move_id.id for entry in entries}
        for (back, entry_id), quantity in set_off(lines, target).items():
            key = (("stock.move", moves[back]), entry_id)
            target[key] = target.get(key, 0) + quantity
        for key, quantity in [*settled.items(), *reversed_.items()]:
            target[key] = target.get(key, 0) + quantity
        return [
            (*source, entry_id, recorded.get((source, entry_id), 0), quantity)
            for (source, entry_id), quantity in {
                **dict.fromkeys(recorded, 0),
                **target,
            }.items()
            if quantity != recorded.get((source, entry_id), 0)
        ]

    def _inventory_direction(self):
        """Return the sign of the entries the order is about: 1 for receipts."""
        return 1

    def _inventory_document_lines(self):
        """Return ``[(journal item, signed quantity in the product's unit)]`` of the
        posted bills or invoices, in order."""
        self.ensure_one()
        lines = self.invoice_lines.filtered(
            lambda line: line.parent_state == "posted"
            and line.display_type == "product"
        ).sorted(lambda line: (line.date, line.id))
        product_uom = self.product_id.uom_id
        return [
            (
                line,
                line.product_uom_id._compute_quantity(
                    -line.quantity
                    if line.move_id.move_type in _REFUNDS
                    else line.quantity,
                    product_uom,
                    round=False,
                ),
            )
            for line in lines
            if line.quantity
        ]


_REFUNDS = ("in_refund", "out_refund")


class InvoicingWriter:
    """Turns changed invoiced quantities into value entries, in order."""

    def __init__(self, lines, company, units, changes):
        self.env = lines.env
        self.company = company
        self.units = units
        self.changes = changes
        self.loader = Loader(company, units)
        entry_ids = {change[2] for change in changes}
        self.records = self.env["stock.ledger.entry"].browse(sorted(entry_ids))
        self.entries = self.loader.load_with_costs(self.records)
        items = self.env["stock.cost.item"]._items(self.records)
        self.items = {i.product_id.id: self.loader.item(i) for i in items}
        self.first_open = self.env["inventory.period"]._first_open_date_getter(company)
        self.recorded = self._recorded_bills()
        self.statements = []
        self.withdrawn = []
        self.shares = []

    def append(self):
        """Append the value entries and return them."""
        ledger = self.env["stock.value.entry"]
        # What is taken back comes first, so that new shares see what is left.
        for change in sorted(self.changes, key=lambda change: abs(change[4]) > 0):
            self._change(*change)
        stated = ledger._state("account.move.line", self.statements, self.withdrawn)
        self._say_moved_dates()
        return stated | ledger._append(self.shares)

    def _say_moved_dates(self):
        """Tell bills and invoices of a closed period where their cost went."""
        rows = [*self.statements, *self.shares]
        lines = self.env["account.move.line"].browse(
            row["source_id"] for row in rows if row["document_ref"]
        )
        dates = {row["source_id"]: row["posting_date"] for row in rows}
        moved = lines.filtered(lambda line: dates[line.id] != line.date)
        for document, own in moved.grouped("move_id").items():
            document.message_post(
                body=self.env._(
                    "The inventory cost of this document is recorded on %(date)s: "
                    "inventory cost is closed for %(closed)s.",
                    date=format_date(self.env, dates[own[0].id]),
                    closed=format_date(self.env, document.date),
                )
            )

    def _change(self, model, source_id, entry_id, before, after):
        entry = self.entries[entry_id]
        stated = entry.quantity > 0 and entry.entry_type == "purchase"
        if not stated or entry.source:
            sign = -1 if entry.entry_type == "sale" else 1
            change = sign * (after - before)
            cost = invoicing(entry, entry.invoiced + change)
            self._move_to_actual(model, source_id, entry, change, cost.actual)
        elif model == "stock.move":
            reversed_ = expected_to_reverse(
                entry.costs, DIRECT_COST, entry.invoiced, after - before, entry.quantity
            )
            self._move_to_actual(model, source_id, entry, after - before, reversed_)
        else:
            self._restate_receipt(source_id, entry, before, after)

    def _restate_receipt(self, source_id, entry, before, after):
        """State a bill line's whole contribution to a receipt anew."""
        if before:
            self._forget(source_id, entry, before)
            if not after:
                self.withdrawn.append((source_id, entry.id))
                return
        record = self.records.browse(entry.id)
        common = {
            **self._document("account.move.line", source_id, record),
            "source_id": source_id,
            "ledger_entry_id": entry.id,
        }
        line = self.env["account.move.line"].browse(source_id)
        item = self.items[record.product_id.id]
        parts = line._inventory_cost_parts(item, entry, after, self.units)
        for entry_type, variance_type, expected, actual in parts:
            own = entry_type == DIRECT_COST
            self.statements.append(
                {
                    **common,
                    "entry_type": entry_type,
                    "variance_type": variance_type,
                    "cost_amount_expected": float(self.units.money(expected)),
                    "cost_amount_actual": float(self.units.money(actual)),
                    "invoiced_quantity": float(self.units.number(after))
                    if own
                    else 0.0,
                }
            )
            entry.costs.append(
                Cost(
                    entry_type=entry_type,
                    variance_type=variance_type or "",
                    actual=actual,
                    expected=expected,
                )
            )
        entry.invoiced += after

    def _recorded_bills(self):
        """Return what bills whose contribution changes have recorded, by pair."""
        pairs = [
            (source_id, entry_id)
            for model, source_id, entry_id, before, _after in self.changes
            if before and model == "account.move.line"
        ]
        recorded = {}
        for key, values in (
            self.env["stock.value.entry"]._recorded("account.move.line", pairs).items()
        ):
            recorded.setdefault(key[:2], []).append((*key[2:], *values[:2]))
        return recorded

    def _forget(self, source_id, entry, before):
        """Take a bill's recorded contribution off the working copy of a receipt."""
        for entry_type, variance_type, expected, actual in self.recorded[
            source_id, entry.id
        ]:
            entry.costs.append(
                Cost(
                    entry_type=entry_type,
                    variance_type=variance_type or "",
                    expected=-self.units.amount(expected),
                    actual=-self.units.amount(actual),
                )
            )
        entry.invoiced -= before

    def _move_to_actual(self, model, source_id, entry, quantity, amount):
        """Count a quantity as invoiced: an amount moves from expected to actual.

        Negative ones move back.
        """
        entry.invoiced += quantity
        entry.costs.append(Cost(actual=amount, expected=-amount))
        record = self.records.browse(entry.id)
        self.shares.append(
            {
                **self._document(model, source_id, record),
                "source_model": model,
                "source_id": source_id,
                "ledger_entry_id": entry.id,
                "entry_type": DIRECT_COST,
                "cost_amount_expected": self.units.money(-amount),
                "cost_amount_actual": self.units.money(amount),
                "invoiced_quantity": self.units.number(quantity),
            }
        )

    def _document(self, model, source_id, record):
        """Return what a value entry says of its document."""
        if model == "stock.move":
            move = self.env["stock.move"].browse(source_id)
            day = self.company._inventory_posting_date(move.date)
            return {
                "source_ref": move.reference,
                "document_ref": None,
                "posting_date": self.first_open(max(day, record.posting_date)),
            }
        line = self.env["account.move.line"].browse(source_id)
        return {
            "source_ref": line.move_id.name,
            "document_ref": line.move_id.name,
            "document_date": line.move_id.invoice_date or line.date,
            "posting_date": self.first_open(line.date),
            "source_currency_id": line.currency_id.id,
            "source_amount": line.amount_currency,
            "analytic_distribution": record.analytic_distribution
            or line.analytic_distribution
            or None,
        }


def invoiced_by_source_query(entry_ids):
    """Return the query of what each source invoiced of each ledger entry."""
    return SQL(
        """
        SELECT ledger_entry_id, source_model, source_id, sum(invoiced_quantity)
        FROM stock_value_entry
        WHERE ledger_entry_id IN %s AND NOT adjustment
        GROUP BY 1, 2, 3 HAVING sum(invoiced_quantity) <> 0
        """,
        tuple(entry_ids) or (0,),
    )
