from odoo import api, fields, models
from odoo.exceptions import AccessError


class ProductProduct(models.Model):
    """A changed standard cost offers to revalue the stock that has another value."""

    _inherit = "product.product"

    revaluation_offered = fields.Boolean(
        compute="_compute_revaluation_offered",
        compute_sudo=False,
        help="The stock on hand has another value than at the standard cost.",
    )
    ledger_stock_value = fields.Monetary(
        string="Value of the Stock",
        compute="_compute_revaluation_offered",
        compute_sudo=False,
        currency_field="cost_currency_id",
    )
    standard_stock_value = fields.Monetary(
        string="Value at Standard Cost",
        compute="_compute_revaluation_offered",
        compute_sudo=False,
        currency_field="cost_currency_id",
    )

    def _is_at_standard_cost(self):
        """Say whether the product is at standard cost in ``self.env.company``."""
        self.ensure_one()
        return self.cost_method == "standard" and not self.lot_valuated

    @api.depends_context("company", "uid")
    @api.depends("standard_price", "cost_method", "lot_valuated")
    def _compute_revaluation_offered(self):
        """Compare stock with the standard cost, for accountants: one query for all."""
        self.revaluation_offered = False
        self.ledger_stock_value = self.standard_stock_value = 0.0
        if not self.env.user.has_group("inventory_cost_gl.group_accountant"):
            return
        standard = self._origin._filter_managed().filtered(
            lambda product: product._is_at_standard_cost()
        )
        values = standard._ledger_values() if standard else {}
        currency = self.env.company.currency_id
        for product in self:
            quantity, value = values.get(product._origin.id, (0.0, 0.0))
            # What is saved counts: an edited cost is offered once it is.
            at_standard = currency.round(quantity * product._origin.standard_price)
            product.ledger_stock_value = value
            product.standard_stock_value = at_standard
            product.revaluation_offered = (
                product.uom_id.compare(quantity, 0.0) > 0
                and currency.compare_amounts(value, at_standard) != 0
            )

    def action_revalue_to_standard(self):
        """Open a draft revaluation of the stock to the standard cost.

        One that waits already is opened again, calculated anew.
        """
        self.ensure_one()
        if not self.env.user.has_group("inventory_cost_gl.group_accountant"):
            raise AccessError(
                self.env._("Only an inventory cost accountant revalues stock.")
            )
        company = self.env.company
        line = {
            "product_id": self.id,
            "unit_cost_revalued": self.with_company(company).standard_price,
        }
        revaluations = self.env["inventory.revaluation"].with_company(company)
        waiting = revaluations.search(
            [
                ("company_id", "=", company.id),
                ("state", "=", "draft"),
                ("calculation_base", "=", "standard_cost"),
                ("product_ids", "=", self.id),
            ]
        ).filtered(lambda draft: draft.product_ids == self)[:1]
        if waiting:
            waiting.date = company._inventory_posting_date(fields.Datetime.now())
            waiting.action_calculate()
            return waiting._open()
        return revaluations._draft(
            company,
            self.env._("Standard cost of %(product)s changed", product=self.name),
            [line],
            calculation_base="standard_cost",
        )._open()


class ProductTemplate(models.Model):
    """The offer to revalue stock, on the form of products with one variant."""

    _inherit = "product.template"

    revaluation_offered = fields.Boolean(
        compute="_compute_revaluation_offered", compute_sudo=False
    )
    ledger_stock_value = fields.Monetary(
        string="Value of the Stock",
        compute="_compute_revaluation_offered",
        compute_sudo=False,
        currency_field="cost_currency_id",
    )
    standard_stock_value = fields.Monetary(
        string="Value at Standard Cost",
        compute="_compute_revaluation_offered",
        compute_sudo=False,
        currency_field="cost_currency_id",
    )

    @api.depends_context("company", "uid")
    @api.depends("product_variant_ids.revaluation_offered")
    def _compute_revaluation_offered(self):
        """Take over what the only variant offers."""
        for template in self:
            variant = template.product_variant_id
            only = len(template.product_variant_ids) == 1
            template.revaluation_offered = only and variant.revaluation_offered
            template.ledger_stock_value = variant.ledger_stock_value
            template.standard_stock_value = variant.standard_stock_value

    def action_revalue_to_standard(self):
        """Open a draft revaluation of the only variant's stock."""
        self.ensure_one()
        return self.product_variant_id.action_revalue_to_standard()
