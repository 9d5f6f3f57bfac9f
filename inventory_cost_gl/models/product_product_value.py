import functools

from odoo import fields, models
from odoo.tools import SQL

# Stock by product (lot), and what value entries say of it; each narrows ``place``.
_BALANCES = """
    SELECT %(group)s, quantity, COALESCE(value_actual, 0) + COALESCE(value_expected, 0)
      FROM stock_cost_balance stock
     WHERE company_id = %(company)s AND product_id = ANY(%(products)s) %(place)s
"""
_ENTRIES = """
    SELECT %(group)s, %(sign)s * COALESCE(sum(stock.ledger_entry_quantity), 0),
           %(sign)s * (COALESCE(sum(stock.cost_amount_actual), 0)
                       + COALESCE(sum(stock.cost_amount_expected), 0))
      FROM stock_value_entry stock %(lots)s
     WHERE stock.company_id = %(company)s AND stock.product_id = ANY(%(products)s)
           %(place)s
       AND stock.ledger_entry_id IS NOT NULL AND %(condition)s
     GROUP BY 1
"""
_LOTS = "JOIN stock_ledger_entry entry ON entry.id = stock.ledger_entry_id"
_UNCOUNTED = (
    "stock.id IN (SELECT value_entry_id FROM stock_cost_queue WHERE NOT counted)"
)


class ProductProduct(models.Model):
    """The value fields of managed products, read from the ledgers, not replayed."""

    _inherit = "product.product"

    def _ledger_values(self, group_by="product_id"):
        """Return ``{product id: (quantity, value)}`` of stock in ``self.env.company``.

        Of the balances, or at the ``to_date`` of the context of the value entries
        posted until that day. A ``warehouse_id`` in the context limits it.

        :param group_by: ``lot_id`` gives ``{lot id: (quantity, value)}`` instead
        """
        moment = fields.Datetime.to_datetime(self.env.context.get("to_date"))
        by_lot = group_by == "lot_id"
        narrowed = {
            "company": self.env.company.id,
            "products": list(self.ids),
            "place": self._cost_location_condition(),
        }
        balances = SQL(_BALANCES, group=SQL.identifier(group_by), **narrowed)
        entries = functools.partial(
            SQL,
            _ENTRIES,
            group=SQL("entry.lot_id" if by_lot else "stock.product_id"),
            lots=SQL(_LOTS * by_lot),
            **narrowed,
        )
        parts = [balances]
        if moment:
            parts = self._stock_until(moment.date(), balances, entries)
        self.env["stock.cost.balance"].flush_model()
        rows = self.env.execute_query(
            SQL(
                "SELECT id, COALESCE(sum(quantity), 0), sum(value) FROM (%s) "
                "AS stock (id, quantity, value) GROUP BY 1",
                SQL(" UNION ALL ").join(parts),
            )
        )
        return {group_id: (quantity, value) for group_id, quantity, value in rows}

    def _stock_until(self, day, balances, entries):
        """Return the queries that add up to the stock of a day.

        The value entries posted until then; or the balances of today less what was
        posted later, where that is less to read. ``entries`` makes the query of the
        value entries of a ``condition``, with a ``sign``.
        """
        [(first, last)] = self.env.execute_query(
            SQL(
                "SELECT min(posting_date), max(posting_date) FROM stock_value_entry "
                "WHERE company_id = %s",
                self.env.company.id,
            )
        )
        if not first or day - first < last - day:
            until = SQL("stock.posting_date <= %s", day)
            return [entries(sign=1, condition=until)]
        later = SQL("stock.posting_date > %s", day)
        return [
            balances,
            entries(sign=1, condition=SQL(_UNCOUNTED)),
            entries(sign=-1, condition=later),
        ]

    def _cost_location_condition(self):
        """Return the condition on cost locations the context's warehouses name."""
        ids = self.env.context.get("warehouse_id")
        if not ids:
            return SQL()
        warehouses = self.env["stock.warehouse"].browse(
            [ids] if isinstance(ids, int) else ids
        )
        return SQL(
            "AND stock.cost_location_id = ANY(%s)", warehouses.view_location_id.ids
        )

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
