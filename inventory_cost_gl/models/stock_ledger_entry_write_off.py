from odoo import models


class StockLedgerEntry(models.Model):
    """Order lines closed short: nothing more will be billed or invoiced of an entry."""

    _inherit = "stock.ledger.entry"

    def _write_off_expected(self, date):
        """Write off what is still expected of these entries; return value entries.

        ``date``: posting date, moved on to a later receipt's own. States that order
        lines are closed short (DESIGN § 6): the rest of the quantity counts as
        invoiced. On a receipt the expected cost is reversed and nothing comes in its
        place; a standard cost stays, the difference is purchase variance. What left
        stock, a delivery or a vendor return, costs what it cost: its expected cost
        becomes actual.

        The order line is the source. A bill or invoice that comes all the same takes
        the write-off's place and is recorded exactly; see ``_take_back_write_off`` too.
        Entries that expect nothing are passed over; writing off twice appends nothing.
        Raises UserError if the date is in a closed inventory period.
        """
        for company in self.company_id:
            self.env["inventory.cost.guard"].sudo()._hold(company)
            self.env["inventory.period"]._check_open(
                company, [(date, self.env._("The write-off"))]
            )
        return self._close_short(True, date)

    def _over_write_off_tolerance(self):
        """Return ``{order line: expected cost}`` of these entries' order lines of which
        more is expected than the company's tolerance allows to write off.

        Read from all ledger entries of an order line, so that no choice of them counts
        as less. Positive for goods received and goods delivered.
        """
        over = {}
        for company, entries in self.sudo().grouped("company_id").items():
            tolerance = company.inventory_write_off_tolerance
            whole = entries.with_company(company)._of_the_same_order_lines()
            for line, amount in whole._expected_by_order_line().items():
                if company.currency_id.compare_amounts(abs(amount), tolerance) > 0:
                    over[line] = amount
        return over

    def _of_the_same_order_lines(self):
        """Return all ledger entries of the order lines of these."""
        own = {entry._inventory_order_line() for entry in self}
        moves, whole = self.stock_move_id, self.browse()
        for lines in (moves.purchase_line_id, moves.sale_line_id):
            # A drop shipment's move names both lines, its entry is about one.
            whole |= lines.filtered(own.__contains__)._inventory_ledger_entries()
        return whole

    def _expected_by_order_line(self):
        """Return ``{order line: expected cost}``: one query."""
        costs, expected = self._costs(), {}
        for entry in self:
            line = entry._inventory_order_line()
            sign = line._inventory_direction()
            expected[line] = expected.get(line, 0.0) + sign * costs[entry.id][0]
        return expected

    def _take_back_write_off(self, date=None):
        """Expect again what was written off of these entries; return value entries.

        ``date``: see ``_write_off_expected``; what is taken back whole gets the date
        it was written off on, if that is open.
        """
        return self._close_short(False, date)

    def _close_short(self, closed, date):
        """State of the entries' order lines that the entries are closed short."""
        value_entries = self.env["stock.value.entry"].sudo()
        for company, entries in self.sudo().grouped("company_id").items():
            moves = entries.with_company(company).stock_move_id
            for lines in (moves.purchase_line_id, moves.sale_line_id):
                value_entries |= lines._state_invoicing(
                    company, dict.fromkeys(entries.ids, closed), date
                )
        return value_entries
