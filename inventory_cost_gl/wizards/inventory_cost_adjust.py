from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from ..models.inventory_cost_run_adjust import INLINE_ITEMS


class InventoryCostAdjust(models.TransientModel):
    """Adjust Cost: bring the cost of what was sold and used up to date."""

    _name = "inventory.cost.adjust"
    _description = "Adjust Cost"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company",
        required=True,
        readonly=True,
        default=lambda self: self.env.company,
    )
    product_ids = fields.Many2many(
        "product.product",
        check_company=True,
        domain="[('is_storable', '=', True)]",
        help="Only the cost of these products is adjusted. Choose products or "
        "categories, not both; both left empty: everything that is queued.",
    )
    category_ids = fields.Many2many(
        "product.category",
        string="Product Categories",
        help="Only the cost of products in these categories, and in those below them, "
        "is adjusted.",
    )
    adjust_until = fields.Date(
        help="Products at average cost are adjusted up to this date of valuation, and "
        "stay queued for what is valued later. Other products are adjusted whole if "
        "anything of them is to be adjusted up to this date.",
    )
    post_afterwards = fields.Boolean(
        string="Post to G/L Afterwards",
        help="Post inventory cost of the same products to the general ledger when "
        "their cost is adjusted.",
    )
    queued_count = fields.Integer(
        string="Products to Adjust",
        compute="_compute_queued_count",
        help="Products whose cost may have changed and is not adjusted yet.",
    )
    in_background = fields.Boolean(compute="_compute_queued_count")

    @api.depends("company_id", "product_ids", "category_ids", "adjust_until")
    def _compute_queued_count(self):
        """Count the queued products within the filters."""
        for wizard in self:
            wizard.queued_count = len(wizard._queued_products())
            wizard.in_background = wizard.queued_count > INLINE_ITEMS

    def _queued_products(self):
        return self.env["inventory.cost.run"]._queued_products(
            # The form's own records are not saved yet.
            self.company_id,
            self.product_ids._origin,
            self.category_ids._origin,
            valued_until=self.adjust_until,
        )

    def action_adjust(self):
        """Create the run and do its work, or leave a long one to the workers.

        Returns the action that opens the run. With nothing to adjust there is no run,
        only the posting, if that was asked for. Raises UserError if both products and
        categories are chosen.
        """
        self.ensure_one()
        self.env["inventory.cost.run"]._check_accountant(self.company_id)
        self._check_filters()
        if not self._queued_products():
            return self._nothing_to_adjust()
        runs = self.env["inventory.cost.run"].sudo().with_company(self.company_id)
        if self.post_afterwards:
            runs._check_journal(self.company_id)
        run = runs._start_adjustment(self.company_id, **self._prepare_run())
        if run.item_count > INLINE_ITEMS:
            self.env["stock.cost.queue"]._trigger_workers()
        else:
            run._run_adjustment()
        return run.sudo(False)._open_action()

    def _nothing_to_adjust(self):
        """Post if that was asked for; else say that all cost is up to date."""
        if self.post_afterwards:
            posting = self.env["inventory.cost.post"].create(
                {
                    "company_id": self.company_id.id,
                    "product_ids": [Command.set(self.product_ids.ids)],
                    "category_ids": [Command.set(self.category_ids.ids)],
                }
            )
            return posting.action_run()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": self.env._(
                    "Nothing to adjust: the cost of these products is up to date."
                )
                if self.product_ids or self.category_ids or self.adjust_until
                else self.env._("Nothing to adjust: all cost is up to date."),
                "type": "info",
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _check_filters(self):
        """Products or categories, as in Business Central."""
        if self.product_ids and self.category_ids:
            raise UserError(
                self.env._(
                    "Choose products or product categories, not both. Leave both empty "
                    "to adjust everything that is queued."
                )
            )

    def _prepare_run(self):
        """Return the values that the wizard decides of the run."""
        return {
            "product_ids": [Command.set(self.product_ids.ids)],
            "category_ids": [Command.set(self.category_ids.ids)],
            "adjust_until": self.adjust_until,
            "post_afterwards": self.post_afterwards,
        }
