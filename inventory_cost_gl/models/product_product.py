from contextlib import contextmanager

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

# What decides the cost of a product; fixed once it has ledger entries.
COSTING_FIELDS = ("valuation", "cost_method", "is_storable", "uom_id", "lot_valuated")

# Stock and uninvoiced moves that a ledger which starts empty does not know.
OBSTACLES = """
    SELECT quant.product_id, 'stock'
      FROM stock_quant quant
      JOIN stock_location location ON location.id = quant.location_id
     WHERE quant.product_id = ANY(%(products)s)
       AND quant.company_id = %(company)s
       AND location.usage IN ('internal', 'transit')
       AND COALESCE(quant.owner_id, %(owner)s) = %(owner)s
       AND quant.quantity <> 0
     UNION ALL
    SELECT line.product_id, 'bill'
      FROM purchase_order_line line
     WHERE line.product_id = ANY(%(products)s)
       AND line.company_id = %(company)s
       AND line.qty_received > line.qty_invoiced
     UNION ALL
    SELECT line.product_id, 'invoice'
      FROM sale_order_line line
     WHERE line.product_id = ANY(%(products)s)
       AND line.company_id = %(company)s
       AND line.qty_delivered > line.qty_invoiced
"""


class ProductProduct(models.Model):
    """Managed products: the value entries answer for their cost.

    What Odoo works out by replaying the stock moves is read from the ledgers here.
    """

    _inherit = "product.product"

    def _is_managed(self):
        """Say whether the value entries answer for the product's cost.

        In ``self.env.company``: call it on ``product.with_company(company)``.
        """
        self.ensure_one()
        return self.product_tmpl_id._is_managed()

    def _filter_managed(self):
        """Return the products managed in ``self.env.company``."""
        return self.filtered(lambda product: product._is_managed())

    def _get_inventory_posting_group(self):
        """Return the inventory posting group in ``self.env.company``, maybe empty."""
        self.ensure_one()
        return self.product_tmpl_id._get_inventory_posting_group()

    def _get_product_posting_group(self):
        """Return the product posting group in ``self.env.company``, maybe empty."""
        self.ensure_one()
        return self.product_tmpl_id._get_product_posting_group()

    # -- Master data the ledgers rest on ----------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Give managed products their cost item, the lock of the cost ledger."""
        products = super().create(vals_list)
        companies = self.env["res.company"].sudo().search([])
        for company in companies:
            products.with_company(company)._filter_managed()._create_cost_items()
        return products

    def unlink(self):
        """Refuse products with ledger entries."""
        self._release_cost_items()
        return super().unlink()

    def _release_cost_items(self):
        """Delete the cost items of products that are to be deleted; raise a UserError
        for those with ledger entries."""
        items = self.env["stock.cost.item"].sudo().search([("product_id", "in", self.ids)])
        recorded = self._with_ledger_entries(items.company_id)
        for products in recorded.values():
            raise UserError(
                self.env._(
                    "%(product)s has entries in the inventory ledgers, so it can't be "
                    "deleted. Archive it instead.",
                    product=products[:1].display_name,
                )
            )
        items.unlink()

    def _create_cost_items(self):
        """Add the missing cost items of ``self.env.company``."""
        company = self.env.company
        own = self.filtered(lambda product: product.company_id in (company, company[:0]))
        self.env["stock.cost.item"]._create_missing(company, own)

    def _with_ledger_entries(self, companies):
        """Return ``{company: products that have ledger entries in it}``: one query."""
        if not self or not companies:
            return {}
        rows = self.env.execute_query(
            SQL(
                "SELECT company.id, array_agg(product.id) "
                "FROM unnest(%s) AS product(id) CROSS JOIN unnest(%s) AS company(id) "
                "WHERE EXISTS (SELECT FROM stock_ledger_entry entry "
                "WHERE entry.product_id = product.id "
                "AND entry.company_id = company.id) GROUP BY company.id",
                self.ids,
                companies.ids,
            )
        )
        return {
            companies.browse(company_id): self.browse(product_ids)
            for company_id, product_ids in rows
        }

    @contextmanager
    def _guard_costing(self, companies):
        """Watch over the products while the body changes master data.

        Afterwards refuses, with a UserError, a change of what decides cost for products
        that have ledger entries, and managing products with stock or uninvoiced moves
        the ledgers do not know. Products newly managed get their cost items.
        """
        recorded = self._with_ledger_entries(companies)
        before = {
            company: (products._costing(company), self._managed_in(company))
            for company in companies
            for products in [recorded.get(company, self[:0])]
        }
        yield
        for company, (costing, managed) in before.items():
            products = recorded.get(company, self[:0])
            products._refuse_changed_costing(company, costing)
            entering = (self._managed_in(company) - managed).with_company(company)
            entering._check_can_be_managed()
            entering._create_cost_items()

    def _managed_in(self, company):
        return self.with_company(company)._filter_managed()

    def _costing(self, company):
        """Return ``{product: {field: value}}`` of what decides cost in a company."""
        # Read from the template: the variant already has the new value in its cache
        # while a write on it is passed on to the template.
        return {
            product: {field: product.product_tmpl_id[field] for field in COSTING_FIELDS}
            for product in self.with_company(company)
        }

    def _refuse_changed_costing(self, company, before):
        for product, costing in self._costing(company).items():
            for field, value in costing.items():
                if value != before[product][field]:
                    raise UserError(
                        self.env._(
                            "%(product)s has stock ledger entries in %(company)s, so "
                            "its %(field)s can't be changed any more. Create a new "
                            "product with the other setting and move the stock to it "
                            "with inventory adjustments.",
                            product=product.display_name,
                            company=company.display_name,
                            field=self._fields[field]._description_string(self.env),
                        )
                    )

    def _obstacles_to_manage(self):
        """Return ``{product: reason}`` why products can't be managed yet.

        The ledgers start empty: stock on hand and done moves that wait for their bill
        or invoice in ``self.env.company`` would be missing from them. One query.
        """
        if not self:
            return {}
        reasons = {
            "stock": self.env._("there is stock on hand"),
            "bill": self.env._("received goods are not billed"),
            "invoice": self.env._("delivered goods are not invoiced"),
        }
        company = self.env.company
        for model in ("stock.quant", "purchase.order.line", "sale.order.line"):
            self.env[model].flush_model()
        rows = self.env.execute_query(
            SQL(
                OBSTACLES,
                products=self.ids,
                company=company.id,
                owner=company.partner_id.id,
            )
        )
        return {self.browse(product_id): reasons[kind] for product_id, kind in rows}

    def _check_can_be_managed(self):
        """Refuse to manage products the ledgers would know only a part of."""
        for product, reason in self._obstacles_to_manage().items():
            raise UserError(
                self.env._(
                    "%(product)s can't be valued by value entries in %(company)s yet: "
                    "%(reason)s, and the ledgers do not know of it. Bill or invoice "
                    "what is open and move the stock out first, and receive it again "
                    "afterwards.",
                    product=product.display_name,
                    company=self.env.company.display_name,
                    reason=reason,
                )
            )

    def _change_standard_price(self, old_price):
        """A changed cost of a managed product is not Odoo's manual revaluation."""
        managed = self._filter_managed()
        changed = managed.filtered(lambda p: p.standard_price != old_price.get(p))
        self.env["stock.cost.item"]._take_over_standard_price(self.env.company, changed)
        return super(ProductProduct, self - managed)._change_standard_price(old_price)

    # -- What Odoo replays, read from the ledgers -------------------------------------

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
        rows = self.env[model].sudo()._read_group(
            domain, [group_by], [f"{quantity}:sum", *amounts]
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
        super(ProductProduct, self - managed)._compute_value()
        managed.company_currency_id = self.env.company.currency_id
        values = managed._ledger_values() if managed else {}
        for product in managed:
            quantity, value = values.get(product.id, (0.0, 0.0))
            product.total_value = value
            product.avg_cost = (
                0.0 if product.uom_id.is_zero(quantity) else value / quantity
            )

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
