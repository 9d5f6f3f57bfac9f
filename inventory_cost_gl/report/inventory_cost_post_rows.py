from datetime import date
from typing import NamedTuple

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_date

# The report's columns of amounts and the account roles that each one adds up, as in
# Business Central (reference c.4).
ACCOUNT_CLASSES = {
    "cogs": ("cogs", "cogs_interim"),
    "inventory_adjustment": ("inventory_adjustment", "accrual_interim"),
    "direct_cost_applied": ("direct_cost_applied",),
    "overhead_applied": ("overhead_applied",),
    "purchase_variance": ("purchase_variance",),
    "direct_cost_variance": (
        "material_variance",
        "capacity_variance",
        "subcontracted_variance",
        "capacity_overhead_variance",
    ),
    "overhead_variance": ("manufacturing_overhead_variance",),
    "wip": ("wip",),
    "inventory": ("inventory", "inventory_interim"),
}
CLASS_OF_ROLE = {
    role: name for name, roles in ACCOUNT_CLASSES.items() for role in roles
}
LINES_AT_ONCE = 5000
# Lines on the first page, below the run's figures, and on each of the others.
ROWS_OF_PAGES = (26, 34)
# The same where lines may say below their posting date on which date they are posted.
HIGH_ROWS_OF_PAGES = (16, 22)
SKIPPED_OF_A_PAGE = 18


class PostingRow(NamedTuple):
    """A debit and a credit of a posting run; debits are positive."""

    date: date
    posting_date: date
    document: str
    product: str
    type: str
    expected: bool
    cost_location: str
    inventory_group: str
    business_group: str
    product_group: str
    value_entries: int
    amounts: dict


class SkippedRow(NamedTuple):
    """A value entry with all that keeps it back, or all that the test warns of."""

    entry: object
    product: str
    type: str
    groups: str
    cost_location: str
    reasons: list


class InventoryCostRunPostReport(models.Model):
    """*Post Inventory Cost to G/L*: what its print-out and its spreadsheet show.

    A reversal shows the lines of the run it reverses, debit and credit exchanged.
    """

    _inherit = "inventory.cost.run"

    # Lines that are printed at most; the spreadsheet has all of them.
    _printed_lines = 2000

    def _check_posting_report(self):
        """Refuse what the report does not know, and users who may not read the run."""
        self.check_access("read")
        for run in self:
            if run.kind not in ("post", "reverse"):
                raise UserError(
                    self.env._(
                        "%(run)s is no run of Post Inventory Cost to G/L: choose one.",
                        run=run.name,
                    )
                )

    def _posting_report_title(self):
        """Return the heading: what was run, and whether it was posted."""
        self.ensure_one()
        title = self.env._("Post Inventory Cost to G/L")
        if self.kind == "reverse":
            title = self.env._("Post Inventory Cost to G/L – Reversal")
            run = self.reverses_run_id.name
            if self.state != "done":
                return title, self.env._("Posted in part, reverses %(run)s", run=run)
            return title, self.env._("Posted, reverses %(run)s", run=run)
        if self.mode == "test":
            title = self.env._("Post Inventory Cost to G/L – Test")
        if self.mode == "preview":
            return title, self.env._("Preview (not posted)")
        if self.mode == "test":
            return title, self.env._("Test (not posted)")
        if self.reversal_run_ids:
            reversal = self.reversal_run_ids[:1]
            if reversal.state != "done":
                return title, self.env._(
                    "Posted, reversed in part by %(run)s", run=reversal.name
                )
            return title, self.env._("Posted, reversed by %(run)s", run=reversal.name)
        if self.state != "done":
            return title, self.env._("Posted in part: the run has not finished")
        return title, self.env._("Posted")

    def _posting_report_filters(self):
        """Return ``[(what, value)]`` of the run: how, when, and which entries."""
        self.ensure_one()
        run = self.sudo()
        label = run._fields["granularity"]._description_selection(self.env)
        pairs = [
            (self.env._("Run"), run.name),
            (self.env._("Company"), run.company_id.name),
            (self.env._("Posting Method"), dict(label).get(run.granularity, "")),
            (self.env._("Journal"), run.journal_id.display_name or ""),
            (self.env._("Value Entries"), run.entry_count),
            (self.env._("Skipped Entries"), run.skipped_count),
            (self.env._("Journal Entry Date"), run._reversed_on() or False),
            (self.env._("Posting Dates Until"), run.until_date),
            (self.env._("Products"), ", ".join(run.product_ids.mapped("display_name"))),
            (
                self.env._("Categories"),
                ", ".join(run.category_ids.mapped("display_name")),
            ),
            (self.env._("Amounts in"), run.currency_id.name),
        ]
        return [pair for pair in pairs if pair[1] is not False and pair[1] != ""]

    def _printed_filters(self):
        """Return the same as texts, dates in the reader's language."""
        return [
            (what, format_date(self.env, value) if isinstance(value, date) else value)
            for what, value in self._posting_report_filters()
        ]

    def _posting_classes(self):
        """Return ``{account class: its heading}``."""
        return {
            "cogs": self.env._("COGS"),
            "inventory_adjustment": self.env._("Inventory Adjustment"),
            "direct_cost_applied": self.env._("Direct Cost Applied"),
            "overhead_applied": self.env._("Overhead Applied"),
            "purchase_variance": self.env._("Purchase Variance"),
            "direct_cost_variance": self.env._("Mfg. Direct Cost Variance"),
            "overhead_variance": self.env._("Mfg. Overhead Variance"),
            "wip": self.env._("WIP"),
            "inventory": self.env._("Inventory"),
        }

    def _printed_classes(self, totals):
        """Return the account classes that the run posts to: the others aren't printed.

        ``totals`` are those of ``_posting_totals``.
        """
        return {
            name: heading
            for name, heading in self._posting_classes().items()
            if name in totals
        }

    def _posting_totals(self):
        """Return ``{account class: amount}`` of those posted to: one query."""
        self.env["inventory.cost.plan.line"].flush_model()
        rows = self.env.execute_query(
            SQL(
                "SELECT line.debit_role, line.credit_role, sum(line.amount) "
                "FROM inventory_cost_plan_line line WHERE %s GROUP BY 1, 2",
                self._posting_lines_filter(),
            )
        )
        totals = {}
        for *roles, amount in rows:
            debit_role, credit_role = self._as_posted(*roles)
            for role, balance in ((debit_role, amount), (credit_role, -amount)):
                name = CLASS_OF_ROLE[role]
                totals[name] = totals.get(name, 0) + balance
        return {name: self.currency_id.round(float(n)) for name, n in totals.items()}

    def _posting_lines_filter(self):
        """Return the SQL condition of the lines that the run has posted or planned.

        A reversal keeps none: it has those of the journal entries it has reversed.
        """
        if self.kind != "reverse":
            return SQL("line.run_id = %s", self.id)
        return SQL(
            "line.run_id = %s AND line.move_id IN (%s)",
            self.reverses_run_id.id,
            self._mirrors(SQL("mirror.reversed_entry_id")),
        )

    def _mirrors(self, columns):
        """Return the query of a reversal's journal entries, as ``mirror``."""
        self.env["account.move"].flush_model(["date", "reversed_entry_id"])
        return SQL(
            "SELECT %s FROM inventory_cost_run_journal_entry_rel own "
            "JOIN account_move mirror ON mirror.id = own.move_id WHERE own.run_id = %s",
            columns,
            self.id,
        )

    def _as_posted(self, debit, credit):
        """Return what the run debits and credits: a reversal the other way round."""
        return (credit, debit) if self.kind == "reverse" else (debit, credit)

    def _reversed_on(self):
        """Return the one date of a reversal's journal entries, else ``None``.

        One that was stopped may have gone on on another date.
        """
        if self.kind != "reverse":
            return None
        dates = self.env.execute_query(self._mirrors(SQL("DISTINCT mirror.date")))
        return dates[0][0] if len(dates) == 1 else None

    def _posting_line_count(self):
        """Return how many lines the report has."""
        [[count]] = self.env.execute_query(
            SQL(
                "SELECT count(*) FROM inventory_cost_plan_line line WHERE %s",
                self._posting_lines_filter(),
            )
        )
        return count

    def _posting_rows(self, limit=None):
        """Yield the ``PostingRow`` of each line pair, in the order of posting."""
        self.ensure_one()
        names = _Names(self.env)
        after = 0
        while limit is None or limit > 0:
            count = LINES_AT_ONCE if limit is None else min(limit, LINES_AT_ONCE)
            rows = self._query_posting_rows(after, count)
            for row in rows:
                yield self._posting_row(row, names)
            if len(rows) < count:
                return
            after = rows[-1][0]
            limit = limit and limit - count

    def _printed_pages(self):
        """Return the lines that are printed, by page: each page has its own heads.

        wkhtmltopdf repeats no heads where it was built without its own Qt.
        """
        rows = list(self._posting_rows(self._printed_lines))
        high = self.moved_count or self.kind == "reverse" and not self._reversed_on()
        first, other = HIGH_ROWS_OF_PAGES if high else ROWS_OF_PAGES
        starts = [0, *range(first, len(rows), other)]
        return [
            rows[start:end]
            for start, end in zip(starts, [*starts[1:], len(rows)], strict=True)
        ]

    def _printed_skipped(self, warning=False):
        """Return the skipped entries, or the warnings, that are printed, by page."""
        rows = self._skipped_rows(warning, self._printed_lines)
        size = SKIPPED_OF_A_PAGE
        return [rows[start : start + size] for start in range(0, len(rows), size)]

    def _query_posting_rows(self, after, count):
        """Return line pairs; what they lack is their value entry's if it is one."""
        date = SQL("line.date")
        if self.kind == "reverse":
            mirrors = self._mirrors(SQL("mirror.date"))
            date = SQL("(%s AND mirror.reversed_entry_id = line.move_id)", mirrors)
        return self.env.execute_query(
            SQL(
                """
                SELECT line.id, %s, line.posting_date,
                       COALESCE(line.document_ref, entry.document_ref, ''),
                       entry.product_id, entry.item_ledger_entry_type,
                       entry.entry_type, entry.variance_type,
                       line.kind = 'expected', line.debit_role, line.credit_role,
                       COALESCE(line.cost_location_id, entry.cost_location_id),
                       COALESCE(line.inventory_posting_group_id,
                                entry.inventory_posting_group_id),
                       COALESCE(line.business_posting_group_id,
                                entry.business_posting_group_id),
                       COALESCE(line.product_posting_group_id,
                                entry.product_posting_group_id),
                       line.value_entry_count, line.amount
                  FROM inventory_cost_plan_line line
             LEFT JOIN stock_value_entry entry
                    ON line.value_entry_count = 1
                   AND entry.id = (line.value_entry_refs ->> 0)::int
                 WHERE %s AND line.id > %s
                 ORDER BY line.id LIMIT %s
                """,
                date,
                self._posting_lines_filter(),
                after,
                count,
            )
        )

    def _posting_row(self, row, names):
        """Return the ``PostingRow`` of a row of the query."""
        (
            _id,
            date,
            posting_date,
            document,
            product,
            *types,
            expected,
            debit_role,
            credit_role,
            location,
            inventory_group,
            business_group,
            product_group,
            count,
            amount,
        ) = row
        debit_role, credit_role = self._as_posted(debit_role, credit_role)
        per_entry = self.granularity == "entry"
        amount = self.currency_id.round(float(amount))
        amounts = {CLASS_OF_ROLE[debit_role]: amount}
        credited = CLASS_OF_ROLE[credit_role]
        amounts[credited] = amounts.get(credited, 0.0) - amount
        return PostingRow(
            date,
            posting_date,
            document,
            names.of("product.product", product),
            names.types(*types) if per_entry else names.roles(debit_role, credit_role),
            expected,
            names.of("stock.location", location),
            names.of("inventory.posting.group", inventory_group),
            names.of("business.posting.group", business_group),
            names.of("product.posting.group", product_group),
            count,
            amounts,
        )

    def _skipped_rows(self, warning=False, limit=None):
        """Return the ``SkippedRow`` list: each value entry with all of its reasons."""
        lines = self.line_ids.sudo().filtered(
            lambda line: line.value_entry_id and line.warning == warning
        )
        names, rows = _Names(self.env), []
        for entry, reasons in lines.grouped("value_entry_id").items():
            if limit is not None and len(rows) == limit:
                break
            groups = (
                entry.inventory_posting_group_id.code,
                entry.business_posting_group_id.code,
                entry.product_posting_group_id.code,
            )
            rows.append(
                SkippedRow(
                    entry,
                    entry.product_id.display_name or "",
                    names.types(
                        entry.item_ledger_entry_type,
                        entry.entry_type,
                        entry.variance_type,
                    ),
                    " / ".join(group or "–" for group in groups),
                    entry.cost_location_id.display_name or "",
                    list(dict.fromkeys(reasons.mapped("reason"))),
                )
            )
        return rows

    def action_print_posting(self):
        """Print the report."""
        self._check_posting_report()
        report = self.env.ref("inventory_cost_gl.action_report_inventory_cost_post")
        # The report has no company layout that Odoo might ask to set up first.
        return report.report_action(self, config=False)

    def action_export_posting(self):
        """Download the spreadsheet."""
        self.ensure_one()
        self._check_posting_report()
        return {
            "type": "ir.actions.act_url",
            "url": f"/inventory_cost_gl/run/{self.id}/xlsx",
            "target": "download",
        }


class _Names:
    """Names of the records and types of many rows: each is looked up once."""

    def __init__(self, env):
        self.env = env
        self.found = {}
        entries = env["stock.value.entry"]
        self.selections = [
            dict(entries._fields[field]._description_selection(env))
            for field in ("item_ledger_entry_type", "entry_type", "variance_type")
        ]

    def of(self, model, record_id):
        """Return the name of a record, the code of a posting group."""
        if not record_id:
            return ""
        if (model, record_id) not in self.found:
            record = self.env[model].sudo().browse(record_id)
            coded = model.endswith(".posting.group")
            name = record.code if coded else record.display_name
            self.found[model, record_id] = name
        return self.found[model, record_id]

    def types(self, *types):
        """Return the names of a value entry's types."""
        return " / ".join(
            selection[value]
            for selection, value in zip(self.selections, types, strict=True)
            if value
        )

    def roles(self, *roles):
        """Return the names of the debited and the credited role."""
        if "roles" not in self.found:
            lines = self.env["inventory.cost.plan.line"]
            self.found["roles"] = dict(lines._selection_role())
        return " / ".join(self.found["roles"][role] for role in roles)
