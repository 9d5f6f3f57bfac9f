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
