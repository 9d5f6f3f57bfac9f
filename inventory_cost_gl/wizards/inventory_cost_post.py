from odoo import api, fields, models

from ..models.inventory_cost_run import GRANULARITIES, RUN_MODES


class InventoryCostPost(models.TransientModel):
    """Post Inventory Cost to G/L: post, preview or test what is waiting."""

    _name = "inventory.cost.post"
    _description = "Post Inventory Cost to G/L"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company",
        required=True,
        readonly=True,
        default=lambda self: self.env.company,
    )
    mode = fields.Selection(
        RUN_MODES,
        required=True,
        default="post",
        help="Preview shows the journal items that posting would create. Test lists "
        "every reason for which a value entry would be skipped. Neither writes to the "
        "ledgers.",
    )
    granularity = fields.Selection(
        GRANULARITIES,
        string="Posting Method",
        required=True,
        default=lambda self: self.env.company.cost_posting_granularity,
    )
    post_locked_on_open_date = fields.Boolean(
        string="Post entries of locked periods on the first open date",
        help="Otherwise they are skipped and listed. The reconciliation shows what is "
        "posted on another date than its own.",
    )
    until_date = fields.Date(
        help="Value entries with a later posting date wait. Left empty, all are posted."
    )
    product_ids = fields.Many2many(
        "product.product",
        string="Products",
        check_company=True,
        help="Together with the products of the categories. Both left empty: all.",
    )
    category_ids = fields.Many2many("product.category", string="Product Categories")
    journal_id = fields.Many2one(
        related="company_id.inventory_cost_journal_id", string="Journal"
    )
    waiting_count = fields.Integer(
        string="Waiting Value Entries", compute="_compute_waiting_count"
    )

    @api.depends("company_id", "until_date", "product_ids", "category_ids")
    def _compute_waiting_count(self):
        """Count the value entries that wait within the filters."""
        for wizard in self:
            [[wizard.waiting_count]] = self.env["stock.value.entry.queue"]._read_group(
                wizard._waiting_domain(), [], ["value_entry_id:count_distinct"]
            )

    def _waiting_domain(self):
        """Return the domain of the queue rows within the filters."""
        domain = fields.Domain("company_id", "=", self.company_id.id)
        if self.until_date:
            domain &= fields.Domain("posting_date", "<=", self.until_date)
        if self.product_ids or self.category_ids:
            domain &= fields.Domain(
                "product_id", "in", self.product_ids.ids
            ) | fields.Domain("product_id.categ_id", "child_of", self.category_ids.ids)
        return domain

    def action_run(self):
        """Create the run and do its work, or leave a long one to the scheduled action.

        Returns the action that opens the run.
        """
        self.ensure_one()
        self.env["inventory.cost.run"]._check_accountant(self.company_id)
        runs = self.env["inventory.cost.run"].sudo().with_company(self.company_id)
        if self.mode != "test":
            runs._check_journal(self.company_id)
        run = runs.create(runs._prepare_posting(self.company_id, **self._prepare_run()))
        run._post_now_or_later(self.waiting_count)
        return run.sudo(False)._open_action()

    def _prepare_run(self):
        """Return the values that the wizard decides of the run."""
        return {
            "mode": self.mode,
            "granularity": self.granularity,
            "post_locked_on_open_date": self.post_locked_on_open_date,
            "until_date": self.until_date,
            "product_ids": [fields.Command.set(self.product_ids.ids)],
            "category_ids": [fields.Command.set(self.category_ids.ids)],
        }
