from dataclasses import dataclass, field
from datetime import datetime, time

from odoo import api, models
from odoo.tools import format_amount, format_date

# Records a finding names at most.
NAMED = 5


@dataclass
class Finding:
    """What a closing finds: what it is, which records, and the way out.

    Only what ``blocks`` keeps the period from being closed, and nothing overrides it.
    """

    kind: str
    title: str
    advice: str
    model: str
    domain: list
    count: int
    blocks: bool = False
    examples: list[str] = field(default_factory=list)

    def text(self):
        """Return it as a paragraph."""
        return "\n".join(
            [f"{self.title}: {self.count}", *self.examples, f"→ {self.advice}"]
        )


class InventoryPeriodFindings(models.Model):
    """What closing a period finds, one method each (Business Central g.6 and h.6).

    Each returns a ``Finding``, or None if there is nothing. Addons add their own to one
    of the two lists.
    """

    _inherit = "inventory.period"

    @api.model
    def _findings(self, company, day):
        """Return all findings of a company until a day, those that block first."""
        self = self.with_company(company)
        return self._blocking_findings(company, day) + self._noted_findings(
            company, day
        )

    @api.model
    def _blocking_findings(self, company, day):
        """Return what keeps the period from being closed."""
        return [
            finding
            for find in (self._find_not_adjusted, self._find_without_supply)
            if (finding := find(company, day))
        ]

    @api.model
    def _noted_findings(self, company, day):
        """Return what should be done before closing, but does not block."""
        return [
            finding
            for find in (
                self._find_not_posted,
                self._find_not_reconciled,
                self._find_draft_bills,
                self._find_draft_revaluations,
                self._find_waiting_transfers,
            )
            if (finding := find(company, day))
        ]

    # -- What blocks ------------------------------------------------------------------

    def _find_not_adjusted(self, company, day):
        """Find the products whose cost until the day is not adjusted."""
        queue = self.env["stock.cost.queue"].sudo()
        rows = queue._read_group(
            [("company_id", "=", company.id), ("valuation_date", "<=", day)],
            ["product_id"],
        )
        if not rows:
            return None
        products = self.env["product.product"].union(*(row[0] for row in rows))
        return self._found(
            "not_adjusted",
            self.env._("Cost is not adjusted (products)"),
            self.env._(
                "Run Adjust Cost; include products excluded from adjustment again."
            ),
            "product.product",
            [("id", "in", products.ids)],
            blocks=True,
        )

    def _find_without_supply(self, company, day):
        """Find decreases of goods that were not in stock: their cost is not known."""
        return self._found(
            "without_supply",
            self.env._("Goods were taken that were not in stock (ledger entries)"),
            self.env._("Record the missing receipts or a physical count."),
            "stock.ledger.entry",
            [
                ("company_id", "=", company.id),
                ("posting_date", "<=", day),
                ("open", "=", True),
                ("quantity", "<", 0),
            ],
            lambda entry: self.env._(
                "%(document)s of %(date)s: %(quantity)s of %(product)s",
                document=entry.display_name,
                date=format_date(self.env, entry.posting_date),
                quantity=f"{-entry.remaining_quantity:g}",
                product=entry.product_id.display_name,
            ),
            order="posting_date, id",
            blocks=True,
        )

    # -- What should be done before ---------------------------------------------------

    def _find_not_posted(self, company, day):
        """Find what still has to be posted to the general ledger."""
        return self._found(
            "not_posted",
            self.env._("Cost is not posted to the G/L (value entries)"),
            self.env._("Run Post Inventory Cost to G/L. It can also be posted later."),
            "stock.value.entry",
            [
                ("company_id", "=", company.id),
                ("posting_date", "<=", day),
                ("to_post", "=", True),
            ],
            lambda value: self.env._(
                "%(document)s of %(date)s: %(product)s",
                document=value.document_ref or value.source_ref or value.id,
                date=format_date(self.env, value.posting_date),
                product=value.product_id.display_name or self.env._("work"),
            ),
            order="posting_date, id",
        )

    def _find_not_reconciled(self, company, day):
        """Find the account roles under which the two ledgers differ."""
        summary = self.env["inventory.gl.reconciliation"]._summary(company, date_to=day)
        lines = [line for line in summary.lines if line.difference or line.unexplained]
        if not lines:
            return None
        return Finding(
            "not_reconciled",
            self.env._("Value entries and general ledger differ (account roles)"),
            self.env._("Open the reconciliation: it explains every difference."),
            "inventory.gl.reconciliation.wizard",
            [],
            len(lines),
            examples=self._listed(
                [self._unreconciled(line, company) for line in lines[:NAMED]],
                len(lines),
            ),
        )

    def _unreconciled(self, line, company):
        """Return an account role with its difference, and what nothing explains."""
        difference, unexplained = (
            format_amount(self.env, amount, company.currency_id)
            for amount in (line.difference, line.unexplained)
        )
        if not line.unexplained:
            return f"{line.name}: {difference}"
        return self.env._(
            "%(account_role)s: %(difference)s, of which unexplained: %(unexplained)s",
            account_role=line.name,
            difference=difference,
            unexplained=unexplained,
        )

    def _find_draft_bills(self, company, day):
        """Find bills and invoices whose cost would go to the first open date."""
        return self._found(
            "draft_bills",
            self.env._("Draft bills and invoices of goods, dated until then"),
            self.env._(
                "Post them, or let their cost be recorded on the first open date."
            ),
            "account.move",
            [
                ("company_id", "=", company.id),
                ("state", "=", "draft"),
                ("move_type", "!=", "entry"),
                ("date", "<=", day),
                ("invoice_line_ids.product_id.is_storable", "=", True),
            ],
            order="date, id",
        )

    def _find_draft_revaluations(self, company, day):
        """Find revaluations that could not be posted any more."""
        return self._found(
            "draft_revaluations",
            self.env._("Revaluations that are not posted, dated until then"),
            self.env._("Post them, or give them a later date."),
            "inventory.revaluation",
            [
                ("company_id", "=", company.id),
                ("state", "!=", "posted"),
                ("date", "<=", day),
            ],
            order="date, id",
        )

    def _find_waiting_transfers(self, company, day):
        """Find transfers planned until the day that nobody has validated."""
        return self._found(
            "waiting_transfers",
            self.env._("Transfers planned until then, not validated"),
            self.env._("They are dated on the day on which they are validated."),
            "stock.picking",
            [
                ("company_id", "=", company.id),
                ("state", "not in", ("draft", "done", "cancel")),
                ("scheduled_date", "<=", datetime.combine(day, time.max)),
            ],
            order="scheduled_date, id",
        )

    # -- Findings ---------------------------------------------------------------------

    def _found(
        self, kind, title, advice, model, domain, describe=None, order=None, **values
    ):
        """Return the ``Finding`` of a domain's records, None if there are none.

        ``describe`` returns what to call a record; its display name if not given.
        """
        records = self.env[model].sudo()
        first = records.search(domain, order=order, limit=NAMED + 1)
        if not first:
            return None
        count = len(first) if len(first) <= NAMED else records.search_count(domain)
        describe = describe or (lambda record: record.display_name)
        names = [describe(record) for record in first[:NAMED]]
        return Finding(
            kind,
            title,
            advice,
            model,
            domain,
            count,
            examples=self._listed(names, count),
            **values,
        )

    def _listed(self, names, count):
        more = [self.env._("and %s more", count - NAMED)] if count > NAMED else []
        return [*names, *more]
