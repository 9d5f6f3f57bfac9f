import logging

from psycopg2 import OperationalError

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, split_every

from ..costing.records import CostLoopError

_logger = logging.getLogger(__name__)

# Queued items that a user's request adjusts at once; more are left to the workers.
INLINE_ITEMS = 500


class InventoryCostRunAdjust(models.Model):
    """Adjustment of cost, at once or by the workers, and the record of it."""

    _inherit = "inventory.cost.run"

    post_afterwards = fields.Boolean(
        readonly=True,
        help="When the cost is adjusted, inventory cost of the same products is posted "
        "to the general ledger.",
    )
    last_queue_ref = fields.Integer(
        readonly=True,
        help="Database id of the last row of the cost adjustment queue when the run "
        "began: what was queued later is not the run's.",
    )
    adjust_until = fields.Date(
        readonly=True,
        help="Products at average cost are adjusted up to this valuation date, the "
        "others as a whole if anything of them is to be adjusted up to it.",
    )
    posting_run_id = fields.Many2one(
        "inventory.cost.run",
        string="Posted Afterwards by",
        readonly=True,
        ondelete="restrict",
    )

    # -- What there is to do ----------------------------------------------------------

    @api.model
    def _queued_products(
        self, company, products=None, categories=None, until=0, valued_until=None
    ):
        """Return the products whose cost waits for adjustment in a company.

        ``products`` and ``categories`` narrow them (either may be empty), ``until`` is
        the id of the last queue row that counts, ``valued_until`` the last valuation
        date. One query.
        """
        domain = Domain("company_id", "=", company.id)
        if products:
            domain &= Domain("product_id", "in", products.ids)
        if categories:
            domain &= Domain("product_id.categ_id", "child_of", categories.ids)
        if until:
            domain &= Domain("id", "<=", until)
        if valued_until:
            domain &= Domain("valuation_date", "<=", valued_until)
        rows = self.env["stock.cost.queue"].sudo()._read_group(domain, ["product_id"])
        return self.env["product.product"].sudo().union(*(row[0] for row in rows))

    def _todo(self):
        """Return the products that this run still has to adjust."""
        self.ensure_one()
        queued = self._queued_products(
            self.company_id,
            self.product_ids,
            self.category_ids,
            self.last_queue_ref,
            self.adjust_until,
        )
        return queued - self.line_ids.product_id

    # -- Runs -------------------------------------------------------------------------

    @api.model
    def _start_adjustment(self, company, **values):
        """Create a run for what is queued; list what is excluded from adjustment."""
        run = self.create(
            {
                "company_id": company.id,
                "kind": "adjust",
                "state": "running",
                "started_at": fields.Datetime.now(),
                "last_value_entry_id": self._newest_id("stock.value.entry"),
                "last_queue_ref": self._newest_id("stock.cost.queue"),
                **values,
            }
        )
        todo = run._todo()
        run.item_count = len(todo)
        excluded = self.env["stock.cost.item"].search(
            [
                ("company_id", "=", company.id),
                ("product_id", "in", todo.ids),
                ("excluded", "=", True),
            ]
        )
        run._leave_out(
            excluded.product_id, self.env._("Excluded from cost adjustment.")
        )
        return run

    def _newest_id(self, model):
        return self.env[model].search([], order="id desc", limit=1).id

    def _run_adjustment(self):
        """Do all of a run's work in this transaction."""
        self._list_failures(self._adjust_products(self.company_id, self._todo()))
        busy = self._todo()
        self._leave_out(
            busy,
            self.env._(
                "Another transaction is recording its cost. It stays queued, and a "
                "scheduled action adjusts it."
            ),
        )
        if busy:
            self.env["stock.cost.queue"]._trigger_workers()
        self._finish_adjustment()

    def _run_adjustment_in_steps(self, size):
        """Work through a run, ``size`` items a transaction; for the workers.

        Several workers may do it at once. What another one holds is tried again later;
        a run that was killed goes on where it stopped.

        :return: false if the time is over
        """
        in_time = self._adjust_in_steps(self.company_id, self._todo(), size)
        try:
            if self._todo():
                self.env["stock.cost.queue"]._trigger_workers()
            elif self._is_mine_to_finish():
                self._finish_adjustment()
            self.env.cr.commit()
        except OperationalError:
            # Another worker finishes the run, or this one when it is called again.
            self.env.cr.rollback()
            _logger.info("Inventory cost run %s is finished later", self.id)
            self.env["stock.cost.queue"]._trigger_workers()
            self.env.cr.commit()
        return in_time

    def _is_mine_to_finish(self):
        """Say whether no other worker finishes or has finished the run.

        Raises a conflict, which the log need not know of, if one just has.
        """
        self.env.cr.execute(
            SQL(
                "SELECT id FROM inventory_cost_run "
                "WHERE id = %s AND state = 'running' FOR UPDATE SKIP LOCKED",
                self.id,
            ),
            log_exceptions=False,
        )
        return bool(self.env.cr.rowcount)

    def _finish_adjustment(self):
        """Count what was appended, close the run, and post if that was asked for."""
        [[count, amount]] = self.env.execute_query(
            SQL(
                """
                SELECT count(*), sum(cost_amount_actual + cost_amount_expected)
                FROM stock_value_entry WHERE id > %s AND run_ref = %s AND adjustment
                """,
                self.last_value_entry_id.id or 0,
                self.id,
            )
        )
        finished = fields.Datetime.now()
        left_out = len(self.line_ids)
        self.write(
            {
                "item_count": self.item_count - left_out,
                "skipped_count": left_out,
                "state": "done",
                "finished_at": finished,
                "duration": (finished - self.started_at).total_seconds(),
                "entry_count": count,
                "amount": amount or 0.0,
            }
        )
        if self.automatic and left_out:
            self._say_left_out()
        if self.post_afterwards:
            self._post_afterwards()

    def _say_left_out(self):
        """Give the responsible accountant a to-do on what a run of the night left."""
        user = self.company_id._responsible_accountant()
        self.activity_schedule(
            "mail.mail_activity_data_warning",
            user_id=user.id or self.env.uid,
            summary=self.env._("Cost of some products is not adjusted"),
            note=self.env._(
                "%(count)s products were left out. The run lists them, with the "
                "reasons.",
                count=self.skipped_count,
            ),
        )

    def _post_afterwards(self):
        """Post inventory cost of the run's products as the run's user.

        A run of the night leaves it to the scheduled action. What refuses it is kept on
        the run: the adjustment stands.
        """
        if self.automatic:
            self.posting_run_id = self._leave_posting_to_worker(
                self.company_id,
                automatic=True,
                granularity=self.granularity,
                until_date=self.until_date,
            )
            return
        posting = (
            self.env["inventory.cost.post"]
            .with_user(self.user_id)
            .with_company(self.company_id)
        )
        try:
            with self.env.cr.savepoint():
                wizard = posting.create(
                    {
                        "mode": "post",
                        "product_ids": [Command.set(self.product_ids.ids)],
                        "category_ids": [Command.set(self.category_ids.ids)],
                    }
                )
                self.posting_run_id = wizard.action_run()["res_id"]
        except UserError as error:
            self.message = self.env._(
                "The cost is adjusted, but not posted: %(reason)s", reason=error
            )

    @api.model
    def _leave_posting_to_worker(self, company, **values):
        """Create a posting run for the scheduled action, and wake it up."""
        run = self.create(self._prepare_posting(company, **values))
        self._trigger_posting()
        return run

    @api.model
    def _continue_adjustments(self, company, size):
        """Work through the company's runs, then through whatever else is queued.

        :return: false if the time of the scheduled action is over
        """
        started = self.search(
            [
                ("company_id", "=", company.id),
                ("kind", "=", "adjust"),
                ("state", "=", "running"),
            ],
            order="id",
        )
        return all(
            run._run_adjustment_in_steps(size) for run in started
        ) and self._adjust_in_steps(
            company, self.env["stock.cost.queue"]._automatic_products(company), size
        )

    # -- Work -------------------------------------------------------------------------

    @api.model
    def _adjust_in_steps(self, company, products, size):
        """Adjust products, ``size`` a transaction, each tried once.

        :return: false if the time of the scheduled action is over
        """
        left = len(products)
        for ids in split_every(size, products.ids):
            chunk = products.browse(ids)
            left -= len(chunk)
            try:
                self._list_failures(self._adjust_products(company, chunk))
            except OperationalError:
                # It met another transaction: nothing is recorded, all stays queued.
                self.env.cr.rollback()
                _logger.info("Products %s are adjusted later", ids, exc_info=True)
            if not self.env["ir.cron"]._commit_progress(len(chunk), remaining=left):
                return False
        return True

    @api.model
    def _adjust_products(self, company, products):
        """Adjust the queued products that are free, together.

        One that can't be adjusted, as when its cost depends on itself, must not stop
        the others: then each is adjusted by itself. Returns ``{product: error}``. A
        conflict with another transaction is raised: it concerns all of them.
        """
        items = self.env["stock.cost.item"]
        try:
            with self.env.cr.savepoint():
                items._adjust_queued(
                    company, products=products, run=self, automatic=not self
                )
        except OperationalError:
            raise
        except Exception as error:  # whatever it is, it is listed with its product
            if len(products) == 1:
                return {products: error}
            failures = {}
            for product in products:
                failures |= self._adjust_products(company, product)
            return failures
        return {}

    # -- Lines ------------------------------------------------------------------------

    def _list_failures(self, failures):
        """List the products that could not be adjusted, and what there is to mend."""
        for product, error in failures.items():
            if not isinstance(error, (CostLoopError, UserError)):
                _logger.error("Product %s", product.id, exc_info=error)
            if self:
                self._leave_out(product, self._failure_reason(error))
            else:
                _logger.warning("%s of product %s", error, product.id)

    def _failure_reason(self, error):
        if isinstance(error, CostLoopError):
            return self._loop_reason(error.entry_ids)
        if isinstance(error, UserError):
            return str(error)
        return self.env._(
            "An unexpected error; the log of the server has the details: %(error)s",
            error=error,
        )

    def _loop_reason(self, entry_ids):
        entries = self.env["stock.ledger.entry"].sudo().browse(entry_ids)
        return self.env._(
            "Its cost depends on itself through these ledger entries: %(entries)s. "
            "Correct one of their documents and adjust again.",
            entries=" → ".join(
                f"{entry.origin or '–'} (#{entry.id})" for entry in entries
            ),
        )

    def _leave_out(self, products, reason):
        """List products whose cost this run does not adjust."""
        items = {
            item.product_id: item.id
            for item in self.env["stock.cost.item"].search(
                [
                    ("company_id", "=", self.company_id.id),
                    ("product_id", "in", products.ids),
                ]
            )
        }
        self.env["inventory.cost.run.line"].create(
            [
                {
                    "run_id": self.id,
                    "company_id": self.company_id.id,
                    "product_id": product.id,
                    "reason": reason,
                    "res_model": "stock.cost.item",
                    "res_id": items.get(product),
                }
                for product in products
            ]
        )

    def action_open_left_out(self):
        """Open the products that the run left out, with the reasons."""
        return self._open_lines(
            "left_out", self.env._("Products Left Out of %(run)s", run=self.name)
        )
