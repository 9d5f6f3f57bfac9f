from odoo import models
from odoo.tools import SQL

from ..costing.invoice_matching import (
    Line,
    free_quantities,
    match_written_off,
    set_off,
)
from ..engine.invoicing import InvoicingWriter
from ..engine.units import Units


class OrderLineMixin(models.AbstractModel):
    """Order lines whose bills or invoices turn expected cost into actual cost.

    Bills and invoices know order lines only; which ledger entries they invoice is
    decided by ``costing.invoice_matching`` and recorded with the value entries.
    """

    _name = "inventory.order.line.mixin"
    _description = "Order Line with Inventory Cost"

    def _state_invoicing(self, company, closed=None, date=None):
        """State what posted bills or invoices of these lines contribute now.

        Run after a bill, an invoice or a receipt changed: it records the difference to
        what was recorded before, nothing when nothing changed.

        ``closed``: ``{ledger entry id: bool}`` closes entries short on ``date``, or
        opens them again; the others stay as they are. Return the new value entries.
        """
        lines = self.sudo().with_company(company)._filter_managed()
        entries = lines._inventory_ledger_entries()
        if not entries:
            return self.env["stock.value.entry"]
        self.env["inventory.cost.guard"]._hold(company)
        units = Units(company.currency_id)
        recorded = entries._invoiced_by_source()
        changes = []
        by_line = entries.grouped(lambda entry: entry._inventory_order_line())
        for line, own in by_line.items():
            changes += line._invoicing_changes(own, recorded, units, closed or {})
        if not changes:
            return self.env["stock.value.entry"]
        writer = InvoicingWriter(lines.env, company, units, changes, date)
        value_entries = writer.append()
        self.env["stock.cost.item"]._update(company, value_entries)
        return value_entries

    def _filter_invoicing_changed(self, entries):
        """Return the lines of which new ledger entries may change what is invoiced.

        Nothing changes where they are the first, go the order's way and meet no bill
        or invoice: most documents are like that, and need not look any further.
        """
        back = entries.filtered(
            lambda entry: entry.reverses_entry_id
            or (entry.quantity > 0) != (self._inventory_direction() > 0)
        )
        moves, moves_back = entries.stock_move_id, back.stock_move_id
        return self.filtered(
            lambda line: line.invoice_lines
            or line.order_id.state == "cancel"
            or line.move_ids & moves_back
            or line.move_ids.filtered(lambda move: move.state == "done") - moves
        )

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

    def _invoicing_changes(self, entries, recorded, units, closed):
        """Return ``[(model, source, entry id, recorded, new)]`` of an order line.

        Quantities are in millionths, in the order's direction. ``closed``: see
        ``_state_invoicing``.
        """
        self.ensure_one()
        sign = self._inventory_direction()
        recorded = {
            key: sign * units.quantity(quantity)
            for entry in entries
            for key, quantity in recorded.get(entry.id, {}).items()
        }
        # What moves settled among themselves stays as it is.
        settled = {key: q for key, q in recorded.items() if key[0][0] == "stock.move"}
        settled |= entries._reversed_quantities(sign, units)
        goods = [Line(e.id, sign * units.quantity(e.quantity)) for e in entries]
        free = free_quantities(goods, settled)
        goods = [Line(line.id, free[line.id]) for line in goods]
        target = self._matched_documents(goods, recorded, units, closed)
        moves = {entry.id: ("stock.move", entry.stock_move_id.id) for entry in entries}
        for (back, entry_id), quantity in set_off(goods, target).items():
            target[moves[back], entry_id] = quantity
        target |= self._closed_short(free_quantities(goods, target), target, closed)
        for key, quantity in settled.items():
            target[key] = target.get(key, 0) + quantity
        return [
            (*source, entry_id, recorded.get((source, entry_id), 0), quantity)
            for (source, entry_id), quantity in {
                **dict.fromkeys(recorded, 0),
                **target,
            }.items()
            if quantity != recorded.get((source, entry_id), 0)
        ]

    def _matched_documents(self, goods, recorded, units, closed):
        """Return ``{(source, entry id): quantity}`` of the bills or invoices, and of
        the write-offs that they leave in place."""
        documents = [
            Line(("account.move.line", line.id), units.quantity(quantity))
            for line, quantity in self._inventory_document_lines()
        ]
        source = self._name, self.id
        written_off = {
            entry_id: quantity
            for (model_and_id, entry_id), quantity in recorded.items()
            if model_and_id == source and closed.get(entry_id, True)
        }
        invoiced = {key: q for key, q in recorded.items() if key[0] != source}
        matched, stays = match_written_off(goods, documents, invoiced, written_off)
        return matched | {(source, entry_id): q for entry_id, q in stays.items()}

    def _closed_short(self, free, target, closed):
        """Return what is written off anew of what is free: ``{key: quantity}``.

        The order line is the source of what an accountant closes, the order of what
        its cancellation does.
        """
        order = self.order_id
        sources = {}
        for entry_id, quantity in free.items():
            if closed.get(entry_id):
                key = (self._name, self.id), entry_id
                sources[key] = target.get(key, 0) + quantity
            elif order.state == "cancel":
                sources[(order._name, order.id), entry_id] = quantity
        return sources

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
