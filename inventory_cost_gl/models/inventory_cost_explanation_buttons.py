from odoo import models
from odoo.exceptions import UserError
from odoo.tools import format_date


class StockCostItem(models.Model):
    """Unit costs that explain themselves."""

    _inherit = "stock.cost.item"

    def action_explain_cost(self):
        """Open what the product's unit cost is made of."""
        self.ensure_one()
        return self.env["inventory.cost.explanation"]._explain(self)

    def _explanation_title(self):
        """Return the product with its costing method, as an explanation begins."""
        self.ensure_one()
        product = self.product_id.with_company(self.company_id)
        if product.lot_valuated:
            method = self.env._("each lot at its own cost")
        elif self._is_standard():
            method = self._standard_since()
        else:
            field = product.categ_id._fields["property_cost_method"]
            method = dict(field._description_selection(self.env))[product.cost_method]
        if not any(self._stock().values()):
            method = self.env._(
                "%(method)s; nothing in stock, the last unit cost is %(cost)s",
                method=method,
                cost=self.currency_id.format(self._current_unit_cost()),
            )
        return f"{product.display_name}: {method}"

    def _standard_since(self):
        """Return the standard cost and the day it was set."""
        cost = self.currency_id.format(self._current_unit_cost())
        changed = (
            self.env["product.value"]
            .sudo()
            .search(
                [
                    ("product_id", "=", self.product_id.id),
                    ("company_id", "=", self.company_id.id),
                    ("move_id", "=", False),
                    ("lot_id", "=", False),
                ],
                order="date desc, id desc",
                limit=1,
            )
        )
        if not changed:
            return self.env._("standard cost %(cost)s", cost=cost)
        day = self.company_id._inventory_posting_date(changed.date)
        return self.env._(
            "standard cost %(cost)s since %(date)s",
            cost=cost,
            date=format_date(self.env, day),
        )


class StockLedgerEntry(models.Model):
    """Ledger entries that explain their cost."""

    _inherit = "stock.ledger.entry"

    def action_explain_cost(self):
        """Open what the entry's cost is made of."""
        self.ensure_one()
        item = self.env["stock.cost.item"]._items(self).sudo(False)
        return self.env["inventory.cost.explanation"]._explain(item, self)


class StockValueEntry(models.Model):
    """Value entries that explain the cost of their ledger entry."""

    _inherit = "stock.value.entry"

    def action_explain_cost(self):
        """Open what the cost of the value entry's ledger entry is made of."""
        self.ensure_one()
        return self.ledger_entry_id.action_explain_cost()


class ProductProduct(models.Model):
    """Products that explain their unit cost."""

    _inherit = "product.product"

    def action_explain_cost(self):
        """Open what the unit cost is made of; of several products, their unit costs.

        Raises UserError if nothing was ever received or delivered.
        """
        items = self.env["stock.cost.item"].search(
            [("product_id", "in", self.ids), ("company_id", "=", self.env.company.id)]
        )
        if len(items) == 1:
            return items.action_explain_cost()
        if not items:
            raise UserError(
                self.env._(
                    "%(product)s has no cost of its own yet: the unit cost is the one "
                    "on the product until something is received.",
                    product=self[:1].display_name,
                )
            )
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "inventory_cost_gl.stock_cost_item_action"
        )
        return {**action, "domain": [("id", "in", items.ids)]}


class ProductTemplate(models.Model):
    """Products that explain their unit cost."""

    _inherit = "product.template"

    def action_explain_cost(self):
        """Open what the unit cost is made of."""
        return self.product_variant_ids.action_explain_cost()
