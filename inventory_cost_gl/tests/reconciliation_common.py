"""A small pair of ledgers for the tests of the reconciliation.

Value entries are recorded and posted here by hand, so that a test can also record what
no document would: the reconciliation must find it.
"""

from odoo import Command, fields
from odoo.fields import Domain

from ..posting.roles import roles_for
from ..report.reconciliation_summary import MEASURES
from .common import InventoryCostCommon

JANUARY, FEBRUARY, MARCH = "2026-01-10", "2026-02-10", "2026-03-10"


class ReconciliationCommon(InventoryCostCommon):
    """A receipt, its bill, a delivery, work on an order and a charge; all posted."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.expected_cost_posting = True
        cls.report = cls.env["inventory.gl.reconciliation"]
        cls.place = cls.warehouse.view_location_id
        cls.place_2 = cls.warehouse_2.view_location_id
        cls.journal = cls.company.inventory_cost_journal_id
        cls.freight = cls.make_account("Freight", "790100")
        cls.suspense = cls.make_account("Suspense", "790200")
        cls.receipt = cls.record("purchase", JANUARY, expected=100.10)
        cls.bill = cls.record("purchase", JANUARY, expected=-100.10, actual=103.37)
        cls.delivery = cls.record("sale", FEBRUARY, actual=-41.35, product=cls.average)
        cls.work = cls.record(None, FEBRUARY, actual=12.34, order_id=7)
        cls.charge = cls.record(
            "purchase", MARCH, actual=7.77, counter_account=cls.freight.id
        )
        cls.base = cls.receipt | cls.bill | cls.delivery | cls.work | cls.charge
        for entry in cls.base:
            cls.post(entry)

    # -- Recording --------------------------------------------------------------------

    @classmethod
    def make_account(cls, name, code, **values):
        """Return a new expense account."""
        return cls.env["account.account"].create(
            {"name": name, "code": code, "account_type": "expense", **values}
        )

    @classmethod
    def record(cls, item_type, date, expected=0.0, actual=0.0, **values):
        """Return a new value entry, without a place in the queue.

        :param item_type: type of a ledger entry made with it; ``None``: capacity
        """
        product = values.pop("product", cls.fifo)
        location = values.pop("location", cls.place)
        company = values.get("company", cls.company)
        values.pop("company", None)
        values = {
            "company_id": company.id,
            "product_id": product.id,
            "cost_location_id": location.id,
            "entry_type": "direct_cost",
            "cost_amount_expected": expected,
            "cost_amount_actual": actual,
            "posting_date": date,
            "valuation_date": date,
            "source_model": "res.company",
            "source_id": company.id,
            "document_ref": f"{item_type or 'work'} {date}",
            "recorded_at": fields.Datetime.now(),
            **values,
        }
        if item_type:
            values["item_ledger_entry_type"] = item_type
            values.setdefault("ledger_entry_id", cls.ledger_entry(values).id)
        return cls.env["stock.value.entry"].sudo().create(values)

    @classmethod
    def ledger_entry(cls, values):
        """Return a new ledger entry for a value entry's values."""
        return (
            cls.env["stock.ledger.entry"]
            .sudo()
            .create(
                {
                    "company_id": values["company_id"],
                    "product_id": values["product_id"],
                    "cost_location_id": values["cost_location_id"],
                    "entry_type": values["item_ledger_entry_type"],
                    "quantity": 1.0,
                    "posting_date": values["posting_date"],
                    "valuation_date": values["valuation_date"],
                }
            )
        )

    @classmethod
    def enqueue(cls, entry, kind="actual"):
        """Put a value entry into the queue; return it."""
        cls.env["stock.value.entry.queue"].sudo().create(
            {
                "company_id": entry.company_id.id,
                "value_entry_id": entry.id,
                "kind": kind,
                "posting_date": entry.posting_date,
                "product_id": entry.product_id.id,
            }
        )
        return entry

    # -- Posting ----------------------------------------------------------------------

    @classmethod
    def post(cls, entry, date=None, factor=1):
        """Post a value entry's amounts by the rules; return the journal entry.

        :param date: instead of the value entry's
        :param factor: what part of it; ``-1`` reverses it
        """
        move = cls.env["account.move"]
        for kind in ("expected", "actual"):
            amount = cls.currency.round(factor * entry[f"cost_amount_{kind}"])
            if amount:
                move |= cls.post_amount(entry, kind, amount, date)
        return move

    @classmethod
    def post_amount(cls, entry, kind, amount, date=None):
        """Post one amount of a value entry and link it."""
        role_1, role_2 = roles_for(
            entry.item_ledger_entry_type,
            entry.entry_type,
            entry.variance_type,
            kind == "expected",
            bool(entry.order_id),
        )
        account_2 = entry.counter_account or cls.accounts[role_2].id
        debit, credit = cls.accounts[role_1].id, account_2
        if amount < 0:
            debit, credit = credit, debit
        move = cls.journal_entry(
            date or entry.posting_date, (debit, abs(amount)), (credit, -abs(amount))
        )
        cls.env["stock.value.entry.link"].sudo().create(
            {
                "company_id": entry.company_id.id,
                "value_entry_id": entry.id,
                "kind": kind,
                "amount": amount,
                "debit_line_id": move.line_ids.filtered("debit").id,
                "credit_line_id": move.line_ids.filtered("credit").id,
            }
        )
        return move

    @classmethod
    def journal_entry(cls, date, *lines, **line_values):
        """Return a posted journal entry of ``(account id, balance)`` lines."""
        move = cls.env["account.move"].create(
            {
                "move_type": "entry",
                "journal_id": cls.journal.id,
                "date": date,
                "line_ids": [
                    Command.create(
                        {"account_id": account, "balance": balance, **line_values}
                    )
                    for account, balance in lines
                ],
            }
        )
        move.action_post()
        return move

    def by_hand(self, date, *amounts, **line_values):
        """Post ``(role, balance)`` lines by hand against an account without a role."""
        lines = [(self.accounts[role].id, balance) for role, balance in amounts]
        rest = self.currency.round(sum(balance for _account, balance in lines))
        if rest:
            lines.append((self.suspense.id, -rest))
        return self.journal_entry(date, *lines, **line_values)

    # -- Corrupting -------------------------------------------------------------------

    def sql(self, query, *params):
        """Change the ledgers behind Odoo's back."""
        self.env.flush_all()
        for model in ("stock.value.entry", "stock.value.entry.link"):
            table = self.env[model]._table
            if table in query:
                self.env[model]._lift_append_only("test")
        self.env.cr.execute(query, params)
        self.env.invalidate_all()

    # -- Comparing --------------------------------------------------------------------

    def summary(self, **filters):
        """Return the reconciliation of the company: also the sums of its rows."""
        summary = self.report._summary(self.company, **filters)
        rows = self.report._read_group(
            self.report._filter_domain(self.company, **filters),
            ["account_role"],
            [f"{measure}:sum" for measure in MEASURES],
        )
        names = {line.account_role: line for line in summary.lines}
        for role, *sums in rows:
            line = summary.line(role)
            self.assertTrue(role in names or not any(map(self.currency.round, sums)))
            for measure, amount in zip(MEASURES, sums, strict=True):
                self.assertEqual(
                    line.amounts()[measure],
                    self.currency.round(amount),
                    f"{role} {measure}: the summary, and the sum of its rows",
                )
        for line in summary.lines:
            self.assertEqual(
                line.alarm_count,
                self.report.search_count(
                    self.report._filter_domain(self.company, **filters)
                    & Domain("account_role", "=", line.account_role)
                    & Domain("unexplained", "!=", 0)
                ),
            )
        return summary

    def figures(self, summary=None):
        """Return ``{(role, measure): amount}`` of the causes and unexplained; not 0."""
        summary = summary or self.summary()
        return {
            (line.account_role, measure): line.amounts()[measure]
            for line in summary.lines
            for measure in MEASURES[3:]
            if line.amounts()[measure]
        }

    def assert_adds_up(self, summary):
        """Each difference is G/L less value entries, and the sum of its causes."""
        for line in [*summary.lines, summary.total]:
            amounts = line.amounts()
            with self.subTest(role=line.account_role):
                self.assertEqual(
                    line.difference,
                    self.currency.round(line.gl_amount - line.value_entry_amount),
                )
                self.assertEqual(
                    line.difference,
                    self.currency.round(sum(amounts[name] for name in MEASURES[3:])),
                )
        for measure in MEASURES:
            self.assertEqual(
                summary.total.amounts()[measure],
                self.currency.round(
                    sum(line.amounts()[measure] for line in summary.lines)
                ),
            )
