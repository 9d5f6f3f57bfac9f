from odoo import models

from ..costing.receipts import expected_cost_of_part
from ..engine.load import Loader
from ..engine.units import Units

# What changes the expected cost of goods received but not billed.
PRICE_FIELDS = {"price_unit", "discount", "tax_ids", "product_uom_id"}


class PurchaseOrderLine(models.Model):
    """Purchase order lines: expected cost at the order's price, actual by the bills."""

    _name = "purchase.order.line"
    _inherit = ["purchase.order.line", "inventory.order.line.mixin"]

    def write(self, vals):
        """Restate the expected cost of what is received but not billed."""
        result = super().write(vals)
        if PRICE_FIELDS & set(vals):
            self._restate_expected_cost()
        return result

    def _inventory_unit_price(self, day):
        """Return the price of one product unit in company currency, not rounded.

        Net of discount and with the taxes that cannot be deducted, at the rate of the
        day of the receipt.
        """
        self.ensure_one()
        quantity = self.product_qty or 1.0
        price = self.price_unit_discounted
        if self.tax_ids:
            taxes = self.tax_ids.compute_all(
                price,
                currency=self.currency_id,
                quantity=quantity,
                product=self.product_id,
                partner=self.order_id.partner_id,
                rounding_method="round_globally",
            )
            price = taxes["total_void"] / quantity
        price = self.product_uom_id._compute_price(price, self.product_id.uom_id)
        return self.currency_id._convert(
            price, self.company_id.currency_id, self.company_id, day, round=False
        )

    def _inventory_expected_costs(self, entries, item):
        """Return the expected cost of each receipt; together they are exact.

        ``item``: the cost item of the product.
        """
        self.ensure_one()
        company = self.company_id
        units = Units(company.currency_id)
        item = Loader(company, units).item(item)
        amounts = []
        before = 0
        for entry in entries:
            quantity = units.quantity(entry.quantity)
            price = units.unit_cost(self._inventory_unit_price(entry.posting_date))
            amount = expected_cost_of_part(item, quantity, price, before)
            amounts.append(float(units.money(amount)))
            before += quantity
        return amounts

    def _restate_expected_cost(self):
        """State the expected cost of unbilled receipts at the order's new price.

        Products at standard cost stay at the standard cost they were received at.
        """
        for company, lines in self.sudo().grouped("company_id").items():
            lines = lines.with_company(company)._filter_managed()
            lines = lines.filtered(
                lambda line: not line.product_id._is_at_standard_cost()
            )
            receipts = lines._inventory_ledger_entries().filtered(
                lambda entry: entry.entry_type == "purchase"
                and entry.quantity > 0
                and not entry.applies_from_entry_id
            )
            statements = receipts._prepare_repriced_statements()
            if statements:
                self.env["inventory.cost.guard"]._hold(company)
                value_entries = self.env["stock.value.entry"].with_company(company)
                value_entries = value_entries._state("stock.move", statements)
                self.env["stock.cost.item"]._update(company, value_entries)
