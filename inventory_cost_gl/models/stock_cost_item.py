from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..engine.project import project
from ..engine.savepoint import execute_unless_busy
from ..engine.update import CostUpdate


class StockCostItem(models.Model):
    """A product's cost in a company; its row is the lock on it."""

    _name = "stock.cost.item"
    _inherit = "inventory.cost.integrity"
    _description = "Inventory Cost by Product"
    _log_access = False
    _rec_name = "product_id"
    _check_company_auto = True

    company_id = fields.Many2one("res.company", required=True, ondelete="restrict")
    product_id = fields.Many2one(
        "product.product", required=True, ondelete="restrict", check_company=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    unit_cost = fields.Float(digits=(16, 8), readonly=True)
    version = fields.Integer(readonly=True)
    excluded = fields.Boolean(string="Excluded from Cost Adjustment")
    balance_ids = fields.One2many("stock.cost.balance", "item_id")

    _product_unique = models.UniqueIndex("(product_id, company_id)")

    @api.model
    def _create_missing(self, company, products):
        """Add the rows of products that have none in a company, in one statement.

        They start at the product's cost, which is what goods without a price of their
        own are received at. Only what this transaction does not see is inserted: ON
        CONFLICT alone waits for whoever holds the row that is there.
        """
        if not products:
            return
        self.env["product.product"].flush_model(["standard_price"])
        self.env.cr.execute(
            SQL(
                "INSERT INTO stock_cost_item "
                "(company_id, product_id, unit_cost, version, excluded) "
                "SELECT %(company)s, id, "
                "COALESCE((standard_price ->> %(key)s)::numeric, 0), 0, false "
                "FROM product_product WHERE id = ANY(%(products)s) "
                "AND NOT EXISTS (SELECT FROM stock_cost_item item "
                "WHERE item.product_id = product_product.id "
                "AND item.company_id = %(company)s) "
                "ON CONFLICT (product_id, company_id) DO NOTHING",
                company=company.id,
                key=str(company.id),
                products=products.ids,
            )
        )

    @api.model
    def _take_over_standard_price(self, company, products):
        """Take over a cost that was typed in on products.

        A standard cost counts for later entries only. Other products' stock is revalued
        to it; without stock it is what goods are received at from now on.
        """
        items = self.sudo().search(
            [("company_id", "=", company.id), ("product_id", "in", products.ids)]
        )
        revalued = items.filtered(
            lambda item: not item._is_standard() and any(item._stock().values())
        )
        for item in items - revalued:
            item.unit_cost = item.product_id.with_company(company).standard_price
        # The engine writes unit costs in SQL, and forgets what the ORM still holds.
        self.flush_model(["unit_cost"])
        lines = [
            {
                "product_id": item.product_id.id,
                "unit_cost_revalued": item.product_id.with_company(
                    company
                ).standard_price,
            }
            for item in revalued
        ]
        self._revalue_by_hand(company, lines)
        # A draft revaluation leaves the cost as it was.
        project(company, revalued, self.env["stock.ledger.entry"])

    @api.model
    def _revalue_by_hand(self, company, lines):
        """Revalue what a user changed on a product, a lot or a stock move."""
        if not lines:
            return
        user = self.env.user
        if not (self.env.su or user.has_group("inventory_cost_gl.group_accountant")):
            product = self.env["product.product"].browse(lines[0]["product_id"])
            raise UserError(
                self.env._(
                    "%(product)s has stock: changing its cost revalues it, which only "
                    "an inventory cost accountant may do.",
                    product=product.display_name,
                )
            )
        self.env["inventory.revaluation"]._revalue(
            company,
            self.env._("Cost changed by %(user)s", user=user.name),
            lines,
        )

    def _stock(self):
        """Return ``{lot id or False: quantity}`` on hand."""
        self.ensure_one()
        return {
            balance.lot_id.id: balance.quantity
            for balance in self.sudo().balance_ids
            if balance.quantity
        }

    def _of(self, queued):
        """Return those of the items that rows of the cost adjustment queue name."""
        products = queued.product_id
        return self.filtered(lambda item: item.product_id in products)

    def _is_standard(self):
        """Say whether the product is at standard cost in the item's company."""
        self.ensure_one()
        return self.product_id.with_company(self.company_id)._is_at_standard_cost()

    def _is_average(self):
        """Say whether the product is valued by average in the item's company."""
        self.ensure_one()
        product = self.product_id.with_company(self.company_id)
        return product.cost_method == "average" and not product.lot_valuated

    # ------------------------------------------------------------------
    # Costing
    # ------------------------------------------------------------------

    @api.model
    def _items(self, entries):
        """Return the items of ledger entries of one company."""
        return self.sudo().search(
            [
                ("company_id", "in", entries.company_id.ids),
                ("product_id", "in", entries.product_id.ids),
            ]
        )

    @api.model
    def _unit_costs(self, entries):
        """Return ``{product id: current unit cost}`` of the entries' items."""
        return self._items(entries)._current_unit_costs()

    def _current_unit_costs(self):
        """Return ``{product id: current unit cost}`` of items of one company."""
        return {item.product_id.id: item._current_unit_cost() for item in self}

    def _current_unit_cost(self):
        """Return what 1 unit costs now in company currency; the standard cost if
        standard."""
        self.ensure_one()
        if self._is_standard():
            return self.product_id.with_company(self.company_id).standard_price
        return self.unit_cost

    @api.model
    def _lock(self, company, products):
        """Return the items of the products that are free, locked until commit.

        An item that another transaction holds, or changed since this one's snapshot, is
        not free: nobody waits. Holding bumps the version, so that older snapshots see
        the item as not free. What follows reads along indexes: PostgreSQL is told not
        to compile those queries, which takes it longer than to run them.
        """
        if not products:
            return self.browse()
        query = SQL(
            """
            SET LOCAL jit TO off;
            UPDATE stock_cost_item SET version = version + 1 WHERE id IN (
                SELECT id FROM stock_cost_item
                WHERE company_id = %s AND product_id IN %s
                ORDER BY id FOR UPDATE SKIP LOCKED)
            RETURNING id, company_id, product_id, unit_cost::float, excluded, EXISTS (
                SELECT FROM stock_cost_queue queue
                WHERE queue.product_id = stock_cost_item.product_id
                  AND queue.company_id = stock_cost_item.company_id)
            """,
            company.id,
            tuple(products.ids),
        )
        self.flush_model()
        rows = sorted(execute_unless_busy(self.env.cr, query) or ())
        self.invalidate_model(flush=False)
        items = self.sudo().browse(row[0] for row in rows)
        columns = ("company_id", "product_id", "unit_cost", "excluded", "queued")
        for place, name in enumerate(columns, start=1):
            self._fields[name]._insert_cache(items, [row[place] for row in rows])
        return items

    @api.model
    def _take(self, company, products):
        """Return ``(items, free)``: the products' items, and those of them that are
        free, locked until commit.

        Products without an item get one.
        """
        self = self.sudo()
        free = self._lock(company, products)
        missing = products - free.product_id
        if not missing:
            return free, free
        self._create_missing(company, missing)
        free |= self._lock(company, missing)
        items = self.search(
            [("company_id", "=", company.id), ("product_id", "in", products.ids)]
        )
        return items, free

    @api.model
    def _update(self, company, value_entries):
        """Forward new value entries of ledger entries that were there before."""
        items, free = self._take(company, value_entries.product_id)
        items._cost(company, free, value_entries)

    def _cost(self, company, free, value_entries, entries=None, arrivals=None):
        """Cost new ledger entries of the items and forward new value entries (DESIGN
        § 6).

        At once for the ``free`` ones; for the others new entries get the last
        known unit cost and a worker runs the same engine moments later.
        ``arrivals``: where the increases of transfers arrive, by their decrease's id.
        """
        entries = entries or self.env["stock.ledger.entry"].sudo()
        self = self.sudo().with_company(company)
        update = CostUpdate(company, self.env)
        update.run_now(free, value_entries, entries, arrivals or {})
        busy = (self - free).product_id
        update.run_later(
            value_entries.filtered(lambda value: value.product_id in busy),
            entries.filtered(lambda entry: entry.product_id in busy),
            arrivals or {},
        )

    @api.model
    def _adjust_queued(
        self, company, products=None, limit=None, run=None, automatic=False
    ):
        """Adjust queued items that are free; return the adjusted items.

        ``products`` narrows them, ``limit`` is the number of items at most.
        ``automatic``: only as far as the setting Automatic Cost Adjustment reaches.
        """
        self = self.sudo().with_company(company)
        domain = Domain("company_id", "=", company.id)
        if products is not None:
            domain &= Domain("product_id", "in", products.ids)
        queued = self.env["stock.cost.queue"]._read_group(domain, ["product_id"])
        todo = self.env["product.product"].union(*(product for (product,) in queued))
        excluded = self.search(
            [("company_id", "=", company.id), ("excluded", "=", True)]
        ).product_id
        todo = (todo - excluded)[:limit]
        _items, items = self._take(company, todo)
        self.env["inventory.cost.guard"]._hold(company)
        update = CostUpdate(company, self.env, run)
        if automatic and company.automatic_cost_adjustment != "always":
            update.catch_up(items)
        else:
            update.adjust(items)
        return items
