from odoo import fields, models

from .order_line_mixin import invoiced_by_source_query


class StockLedgerEntry(models.Model):
    """What moves and order lines state of a ledger entry's cost (DESIGN § 6)."""

    _inherit = "stock.ledger.entry"

    def _state_moves(self, items):
        """State what the moves say of their increases' cost; return value entries.

        Purchases of an order line are expected at the order's price; other increases
        are actual at the move's price or, without one, the current unit cost. The cost
        of decreases, exact returns and arrivals is worked out by the cost engine.
        ``items``: the cost items of the entries, which are new.
        """
        increases = self.filtered(
            lambda entry: entry.quantity > 0 and not entry.applies_from_entry_id
        )
        ordered = increases.filtered(
            lambda entry: entry.entry_type == "purchase" and entry._is_invoiceable()
        )
        statements = ordered._prepare_receipt_statements(items)
        unordered = increases - ordered
        statements += unordered._prepare_unordered_statements(items)
        return self.env["stock.value.entry"]._state_first("stock.move", statements)

    def _prepare_receipt_statements(self, items):
        """Return the expected cost of receipts of order lines, as statements."""
        items = items.grouped("product_id")
        statements = []
        for line, entries in self.grouped(
            lambda entry: entry.stock_move_id.purchase_line_id
        ).items():
            item = items[entries.product_id]
            amounts = line._inventory_expected_costs(entries, item)
            for entry, amount in zip(entries, amounts, strict=True):
                statements.append(
                    {
                        **entry._prepare_statement(),
                        "cost_amount_expected": amount,
                        "expected": True,
                    }
                )
        return statements

    def _prepare_unordered_statements(self, items):
        """Return the cost of increases without an order line, as statements."""
        statements = []
        unit_costs = items._current_unit_costs()
        for entry in self:
            move = entry.stock_move_id
            given = (
                move.price_unit if entry.product_id.cost_method != "standard" else 0.0
            )
            unit_cost = given or unit_costs.get(entry.product_id.id, 0.0)
            amount = entry.currency_id.round(unit_cost * entry.quantity)
            expected = entry._is_invoiceable()
            statements.append(
                {
                    **entry._prepare_statement(),
                    "cost_amount_expected": amount if expected else 0.0,
                    "cost_amount_actual": 0.0 if expected else amount,
                    "invoiced_quantity": 0.0 if expected else entry.quantity,
                    "expected": expected,
                }
            )
        return statements

    def _prepare_statement(self):
        """Return what a move's statement of its increase's direct cost has in common;
        a hook."""
        self.ensure_one()
        return {
            "source_id": self.stock_move_id.id,
            "source_ref": self.origin,
            "ledger_entry_id": self.id,
            "entry_type": "direct_cost",
            "ledger_entry_quantity": self.quantity,
            "posting_date": self.posting_date,
        }

    def _prepare_repriced_statements(self):
        """Return statements of receipts at their order lines' present price.

        What bills reversed of the expected cost stays reversed; the rest is the
        unbilled quantity at the new price. The entry's quantity is recorded already.
        """
        sums = self._costs()
        items = self.env["stock.cost.item"]._items(self).grouped("product_id")
        ledger = self.env["stock.value.entry"]
        recorded = ledger._recorded(
            "stock.move", {(entry.stock_move_id.id, entry.id) for entry in self}
        )
        first_open = self.env["inventory.period"]._first_open_date_getter(
            self.env.company
        )
        today = self.env.company._inventory_posting_date(fields.Datetime.now())
        statements = []
        for line, entries in self.grouped(
            lambda entry: entry.stock_move_id.purchase_line_id
        ).items():
            item = items[entries.product_id]
            amounts = line._inventory_expected_costs(entries, item)
            for entry, amount in zip(entries, amounts, strict=True):
                expected, _actual, invoiced = sums[entry.id]
                statement = entry._prepare_statement()
                key = ledger._statement_key(statement)
                stated = recorded.get(key, (0.0, 0.0, 0.0, None))
                unbilled = amount * (entry.quantity - invoiced) / entry.quantity
                statements.append(
                    {
                        **statement,
                        "cost_amount_expected": stated[0]
                        + entry.currency_id.round(unbilled)
                        - expected,
                        "cost_amount_actual": stated[1],
                        "invoiced_quantity": stated[2],
                        "expected": True,
                        "posting_date": first_open(max(entry.posting_date, today)),
                    }
                )
        return statements

    def _is_invoiceable(self):
        """Say whether bills or invoices of an order line will invoice the entry.

        The components of a kit are not: their order line is the kit's.
        """
        self.ensure_one()
        return bool(self._inventory_order_line())

    def _is_billed(self):
        """Say whether bills state the entry's cost: it takes it from no other entry."""
        self.ensure_one()
        return (
            self.entry_type == "purchase"
            and self.quantity > 0
            and not self.applies_from_entry_id
            and not self.reverses_entry_id
        )

    def _inventory_order_line(self):
        """Return the order line whose bills or invoices invoice the entry, if any."""
        self.ensure_one()
        move = self.stock_move_id
        line = {"purchase": move.purchase_line_id, "sale": move.sale_line_id}.get(
            self.entry_type
        )
        return line if line and line.product_id == self.product_id else None

    def _invoiced_by_source(self):
        """Return ``{entry id: {((source model, source id), entry id): quantity}}``."""
        self.env.cr.execute(invoiced_by_source_query(self.ids))
        invoiced = {}
        for entry_id, model, source_id, quantity in self.env.cr.fetchall():
            key = ((model, source_id), entry_id)
            invoiced.setdefault(entry_id, {})[key] = quantity
        return invoiced

    def _reversed_quantities(self, sign, units):
        """Return ``{((source model, source id), entry id): quantity}`` of reversals.

        An entry and its own reversal settle each other before any bill or invoice is
        matched: a corrected quantity or date moves bills on to the entry that stands.
        A reversal that is reversed itself settles that much less of its entry.
        """
        settled, taken_back = {}, {}
        for entry in self.filtered("reverses_entry_id").sorted("id", reverse=True):
            source = ("stock.move", entry.stock_move_id.id)
            quantity = sign * units.quantity(entry.quantity)
            settled[source, entry.id] = quantity
            quantity += taken_back.get(entry.id, 0)
            reversed_id = entry.reverses_entry_id.id
            taken_back[reversed_id] = taken_back.get(reversed_id, 0) + quantity
            settled[source, reversed_id] = -taken_back[reversed_id]
        return settled
