from odoo import models
from odoo.exceptions import UserError

from odoo.addons.inventory_cost_gl.costing.receipts import (
    charge_variance,
    split_amount,
)
from odoo.addons.inventory_cost_gl.engine.load import Loader
from odoo.addons.inventory_cost_gl.engine.units import Units


class StockValuationAdjustmentLines(models.Model):
    """What a landed cost adds to one receipt."""

    _inherit = "stock.valuation.adjustment.lines"

    def _prepare_cost_statements(self):
        """Return the statements of the lines that cover managed moves.

        A move with several ledger entries (lots) is charged by quantity, that of each
        entry that counts: what was reversed since never came.
        """
        company = self.env.company
        units = Units(company.currency_id)
        entries = self.env["stock.ledger.entry"].search(
            [("stock_move_id", "in", self.move_id.ids), ("quantity", ">", 0)],
            order="id",
        )
        standing = entries._standing_quantities()
        entries = entries.filtered(standing.get)
        by_move = entries.grouped("stock_move_id")
        loader = Loader(company, units)
        items = {
            item.product_id: loader.item(item)
            for item in self.env["stock.cost.item"]._items(entries)
        }
        statements = []
        for line in self.filtered(lambda line: line.move_id._filter_managed()):
            charged = by_move.get(line.move_id)
            if not charged:
                raise UserError(
                    self.env._(
                        "%(product)s in %(document)s brought nothing into stock: no "
                        "landed cost can be put on it. Remove it from the landed cost.",
                        product=line.product_id.display_name,
                        document=line.move_id.reference,
                    )
                )
            amounts = split_amount(
                units.amount(line.additional_landed_cost),
                [units.quantity(standing[entry]) for entry in charged],
            )
            for entry, amount in zip(charged, amounts, strict=True):
                statements += line._prepare_entry_statements(
                    entry, amount, items[line.product_id], units
                )
        return statements

    def _restate_cost(self, company):
        """State the landed costs on what stands of their receipts now, on an open date.

        Those of receipts of which nothing stands stay where they are.
        """
        entries = self.env["stock.ledger.entry"].search(
            [("stock_move_id", "in", self.move_id.ids), ("quantity", ">", 0)]
        )
        standing = entries._standing_quantities()
        moves = entries.filtered(standing.get).stock_move_id
        lines = self.filtered(lambda line: line.move_id in moves)
        if not lines:
            return
        statements = lines._prepare_cost_statements()
        first_open = self.env["inventory.period"]._first_open_date_getter(company)
        for statement in statements:
            statement["posting_date"] = first_open(statement["posting_date"])
        by_move = entries.grouped("stock_move_id")
        pairs = [(line.id, e.id) for line in lines for e in by_move[line.move_id]]
        ledger = self.env["stock.value.entry"]
        value_entries = ledger._state(self._name, statements, pairs)
        self.env["stock.cost.item"]._update(company, value_entries)

    def _prepare_entry_statements(self, entry, amount, item, units):
        """Return the statements for one ledger entry: the cost, and for a standard
        cost product the variance that keeps stock at standard."""
        self.ensure_one()
        cost = self.cost_id
        charge = self.cost_line_id.product_id
        account = (
            self.cost_line_id.account_id
            or charge.with_company(cost.company_id)._get_product_accounts()["expense"]
        )
        statement = {
            "source_id": self.id,
            "source_ref": cost.name,
            "document_ref": cost.vendor_bill_id.name or cost.name,
            "document_date": cost.date,
            "ledger_entry_id": entry.id,
            "posting_date": cost.date,
            "charge_product_id": charge.id,
            "analytic_distribution": self._inventory_analytic_distribution(),
        }
        statements = [
            {
                **statement,
                "entry_type": "direct_cost",
                "cost_amount_actual": float(units.money(amount)),
                "counter_account": account.id or None,
            }
        ]
        variance = charge_variance(item, amount)
        if variance and entry.entry_type != "purchase":
            # No account is set up for a purchase variance of anything else.
            raise UserError(
                self.env._(
                    "%(product)s is valued at standard cost: landed costs become a "
                    "purchase variance, so they can only be put on its purchases, not "
                    "on %(document)s.",
                    product=self.product_id.display_name,
                    document=self.move_id.reference,
                )
            )
        if variance:
            statements.append(
                {
                    **statement,
                    "entry_type": "variance",
                    "variance_type": "purchase",
                    "cost_amount_actual": float(units.money(variance)),
                }
            )
        return statements

    def _inventory_analytic_distribution(self):
        """Return the analytic distribution of the charge: that of the bill's line.

        What is credited is what the bill charged, to the same analytic accounts or to
        none (``{}``). Without a bill it is the receipt's (``None``).
        """
        self.ensure_one()
        bill_line = self.cost_id.vendor_bill_id.invoice_line_ids.filtered(
            lambda line: line.is_landed_costs_line
            and line.product_id == self.cost_line_id.product_id
        )[:1]
        return (bill_line.analytic_distribution or {}) if bill_line else None
