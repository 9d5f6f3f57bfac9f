from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..report.reconciliation_summary import MEASURES

FILTERS = (
    "company_id",
    "date_from",
    "date_to",
    "product_ids",
    "category_ids",
    "cost_location_ids",
)


class InventoryGlReconciliationWizard(models.TransientModel):
    """The reconciliation screen: the account roles within a few filters.

    The lines are the figures of the filters as they were saved; changing a filter
    empties them until *Show*.
    """

    _name = "inventory.gl.reconciliation.wizard"
    _description = "Inventory – G/L Reconciliation"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    date_from = fields.Date(help="Empty: from the beginning.")
    date_to = fields.Date(help="Empty: without end.")
    product_ids = fields.Many2many("product.product", check_company=True)
    category_ids = fields.Many2many("product.category", string="Product Categories")
    cost_location_ids = fields.Many2many("stock.location", check_company=True)
    line_ids = fields.One2many(
        "inventory.gl.reconciliation.wizard.line", "wizard_id", readonly=True
    )
    notes = fields.Text(readonly=True)
    advice = fields.Text(string="What to Do", compute="_compute_advice")
    fully_explained = fields.Boolean(readonly=True)
    reconciled = fields.Boolean(readonly=True)
    unexplained = fields.Monetary(readonly=True)
    alarm_count = fields.Integer(string="Unexplained Records", readonly=True)
    # Columns that are shown only where there is something in them.
    on_other_date = fields.Boolean(readonly=True)
    to_other_account = fields.Boolean(readonly=True)
    shown_at = fields.Datetime(readonly=True)

    def _compute_display_name(self):
        """Name the screen in the breadcrumbs."""
        for wizard in self:
            wizard.display_name = self.env._("Inventory – G/L Reconciliation")

    @api.depends("line_ids.advice")
    def _compute_advice(self):
        """Say once what mends the difference of several roles."""
        for wizard in self:
            lines = wizard.line_ids.filtered("advice").grouped("advice")
            wizard.advice = "\n".join(
                f"{', '.join(line._role_name() for line in of_advice)}: {advice}"
                for advice, of_advice in lines.items()
            )

    @api.onchange(*FILTERS)
    def _onchange_filters(self):
        """Hide figures that belong to other filters."""
        self.shown_at = False

    def write(self, vals):
        """Drop figures that belong to other filters."""
        if set(FILTERS) & set(vals):
            vals = {**vals, "line_ids": [Command.clear()], "shown_at": False}
        return super().write(vals)

    @api.model
    def action_open(self):
        """Open the screen with the figures of all dates."""
        wizard = self.create({})
        wizard._show()
        return wizard._form_action()

    def action_show(self):
        """Show the figures of the filters."""
        self._show()
        return self._form_action()

    def action_print(self):
        """Print the figures of the filters as PDF."""
        self._show()
        return self.env.ref(
            "inventory_cost_gl.action_report_inventory_gl_reconciliation"
        ).report_action(self, config=False)

    def action_unexplained(self):
        """Open the records that nothing explains, of all roles."""
        unexplained = Domain("cause", "=", "unexplained")
        return self._open_rows(self.env._("Unexplained"), self._domain() & unexplained)

    def action_analyze(self):
        """Open the pivot of the same filters."""
        action = self._open_rows(self.env._("Reconciliation Analysis"), self._domain())
        views = [(False, "pivot"), (False, "list"), (False, "graph")]
        return action | {"view_mode": "pivot,list,graph", "views": views}

    def _filters(self):
        """Return the filters as ``inventory.gl.reconciliation`` takes them."""
        self.ensure_one()
        return {
            "company": self.company_id,
            "date_from": self.date_from,
            "date_to": self.date_to,
            "products": self.product_ids,
            "categories": self.category_ids,
            "cost_locations": self.cost_location_ids,
        }

    def _domain(self):
        """Return the rows of the report within the filters."""
        return self.env["inventory.gl.reconciliation"]._filter_domain(**self._filters())

    def _summary(self):
        """Return the ``Reconciliation`` of the filters."""
        self._check_filters()
        return self.env["inventory.gl.reconciliation"]._summary(**self._filters())

    def _printed_at(self):
        return fields.Datetime.now()

    def _printed_measures(self, summary):
        """Return ``{measure: column title}``; rare causes only where they occur."""
        rare = ("posted_on_other_date", "posted_to_other_account")
        titles = self.env["inventory.gl.reconciliation"].fields_get(
            MEASURES, ["string"]
        )
        return {
            measure: titles[measure]["string"]
            for measure in MEASURES
            if measure not in rare or summary.occurs(measure)
        }

    def _check_filters(self):
        """Raise if the figures would be of nothing the user can read."""
        self.ensure_one()
        if self.company_id not in self.env.companies:
            raise UserError(
                self.env._(
                    "Choose %(company)s in the company menu first, to reconcile it.",
                    company=self.company_id.sudo().name,
                )
            )
        if self.date_from and self.date_to and self.date_from > self.date_to:
            raise UserError(
                self.env._("The reconciliation's first date is after its last date.")
            )

    def _show(self):
        """Replace the lines by the figures of the filters."""
        summary = self._summary()
        self.line_ids.unlink()
        self.write(
            {
                "line_ids": [
                    Command.create(
                        {
                            **line.amounts(),
                            "account_role": line.account_role,
                            "alarm_count": line.alarm_count,
                            "advice": " ".join(line.advice),
                        }
                    )
                    for line in summary.lines
                ],
                "notes": "\n".join(summary.notes),
                "fully_explained": summary.fully_explained,
                "reconciled": summary.reconciled,
                "unexplained": summary.total.unexplained,
                "alarm_count": summary.alarm_count,
                "on_other_date": summary.occurs("posted_on_other_date"),
                "to_other_account": summary.occurs("posted_to_other_account"),
                "shown_at": fields.Datetime.now(),
            }
        )

    def _form_action(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Inventory – G/L Reconciliation"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "main",
        }

    def _open_rows(self, name, domain):
        """Return the action that lists rows of the report."""
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": "inventory.gl.reconciliation",
            "view_mode": "list,pivot",
            "views": [(False, "list"), (False, "pivot")],
            "domain": list(domain),
            "context": {"create": False},
        }
