from odoo import fields, models
from odoo.fields import Domain


class ProductProduct(models.Model):
    """The value fields of managed products, read from the ledgers, not replayed."""

    _inherit = "product.product"

    def _ledger_values(self, group_by="product_id"):
        """Return ``{product id: (quantity, value)}`` of stock in ``self.env.company``.

        One query: of the balances, or at the ``to_date`` of the context of the value
        entries posted until that day. A ``warehouse_id`` in the context limits it.

        :param group_by: ``lot_id`` gives ``{lot id: (quantity, value)}`` instead
        """
        moment = fields.Datetime.to_datetime(self.env.context.get("to_date"))
        domain = Domain("company_id", "=", self.env.company.id)
        domain &= self._cost_location_domain()
        if moment:
            model, quantity = "stock.value.entry", "ledger_entry_quantity"
            amounts = ["cost_amount_actual:sum", "cost_amount_expected:sum"]
            domain &= Domain("posting_date", "<=", moment.date())
            domain &= Domain("product_id", "in", self.ids)
            domain &= Domain("ledger_entry_id", "!=", False)
            group_by = group_by.replace("lot_id", "ledger_entry_id.lot_id")
        else:
            model, quantity = "stock.cost.balance", "quantity"
            amounts = ["value_actual:sum", "value_expected:sum"]
            domain &= Domain("item_id.product_id", "in", self.ids)
        rows = (
            self.env[model]
            .sudo()
            ._read_group(domain, [group_by], [f"{quantity}:sum", *amounts])
        )
        return {
            group.id: (quantity, actual + expected)
            for group, quantity, actual, expected in rows
        }

    def _cost_location_domain(self):
        """Return the domain on cost locations the context's warehouses name."""
        ids = self.env.context.get("warehouse_id")
        if not ids:
            return Domain.TRUE
        warehouses = self.env["stock.warehouse"].browse(
            [ids] if isinstance(ids, int) else ids
        )
        return Domain("cost_location_id", "in", warehouses.view_location_id.ids)

    def _ledger_unit_cost(self, lot=None, at_date=None):
        """Return ``(unit cost, value)`` of the stock of a product or of a lot."""
        self.ensure_one()
        product = self.with_context(to_date=at_date) if at_date else self
        values = product._ledger_values("lot_id" if lot else "product_id")
        quantity, value = values.get((lot or self).id, (0.0, 0.0))
        if self.uom_id.is_zero(quantity):
            return (lot or self).standard_price, value
        return value / quantity, value

    def _compute_value(self):
        """Managed products: what the ledger says, in one query for all."""
        managed = self._filter_managed()
        result = super(ProductProduct, self - managed)._compute_value()
        managed.company_currency_id = self.env.company.currency_id
        values = managed._ledger_values() if managed else {}
        for product in managed:
            quantity, value = values.get(product.id, (0.0, 0.0))
            product.total_value = value
            product.avg_cost = (
                0.0 if product.uom_id.is_zero(quantity) else value / quantity
            )
        return result

    def _update_standard_price(self, extra_value=None, extra_quantity=None):
        """Leave the cost of managed products to the adjustment, which writes it."""
        unmanaged = self - self._filter_managed()
        return super(ProductProduct, unmanaged)._update_standard_price(
            extra_value, extra_quantity
        )

    def _run_avco(self, at_date=None, lot=None, method="realtime"):
        """Managed products: ``(unit cost, value)`` as the ledger has them."""
        if self._is_managed():
            return self._ledger_unit_cost(lot, at_date)
        return super()._run_avco(at_date, lot, method)

    def _run_fifo(self, quantity, lot=None, at_date=None, location=None):
        """Managed products: what a quantity costs on average in the ledger."""
        if self._is_managed():
            return quantity * self._ledger_unit_cost(lot, at_date)[0]
        return super()._run_fifo(quantity, lot, at_date, location)

    def _run_fifo_get_stack(self, lot=None, at_date=None, location=None):
        """Managed products have layers in the ledger, not a stack of moves."""
        if self._is_managed():
            return [], 0
        return super()._run_fifo_get_stack(lot, at_date, location)

    def _get_remaining_moves(self):
        """Managed products: the moves of their open increases, in one query."""
        managed = self._filter_managed()
        remaining = super(ProductProduct, self - managed)._get_remaining_moves()
        rows = (
            self.env["stock.ledger.entry"]
            .sudo()
            ._read_group(
                [
                    ("product_id", "in", managed.ids),
                    ("company_id", "=", self.env.company.id),
                    ("open", "=", True),
                    ("quantity", ">", 0),
                    ("stock_move_id", "!=", False),
                ],
                ["product_id", "stock_move_id"],
                ["remaining_quantity:sum"],
            )
        )
        for product, move, quantity in rows:
            moves = remaining.setdefault(product.with_env(self.env), {})
            moves[move.with_env(self.env)] = quantity
        return remaining
