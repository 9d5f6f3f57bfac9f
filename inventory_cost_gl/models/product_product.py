from contextlib import contextmanager

from odoo import api, models
from odoo.exceptions import UserError
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
    """Managed products: the value entries answer for their cost."""

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
        # In every company, also those the user has no access to.
        for company in self.env["res.company"]._active_companies():
            in_company = products.sudo().with_company(company)
            in_company._filter_managed()._create_cost_items()
        return products

    def unlink(self):
        """Refuse products with ledger entries."""
        self._release_cost_items()
        return super().unlink()

    def _release_cost_items(self):
        """Delete the cost items of products that are about to be deleted.

        Raises a UserError for those with ledger entries.
        """
        items = (
            self.env["stock.cost.item"].sudo().search([("product_id", "in", self.ids)])
        )
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
        own = self.filtered(
            lambda product: product.company_id in (company, company[:0])
        )
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
        return self.sudo().with_company(company)._filter_managed()

    def _costing(self, company):
        """Return ``{product: {field: value}}`` of what decides cost in a company."""
        # Read from the template: the variant already has the new value in its cache
        # while a write on it is passed on to the template.
        return {
            product: {field: product.product_tmpl_id[field] for field in COSTING_FIELDS}
            for product in self.sudo().with_company(company)
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
