from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from .posting_common import PostingCommon


@tagged("post_install", "-at_install")
class TestPostTest(PostingCommon):
    """The test of posting lists every error of every value entry, and writes nothing.

    One test for each row of Business Central's table of errors (reference c.5), then
    all of them at once.
    """

    def setUp(self):
        super().setUp()
        self.good = self.entry(1.0, date="2026-03-01")
        self.expected = {}

    def expect(self, entry, *reasons):
        """Note the reasons that the test has to list for a value entry."""
        self.expected.setdefault(entry, []).extend(reasons)

    def assertListed(self, all_of_them=True):
        """Check that the test lists what is expected, line by line, and no more."""
        moves = self.env["account.move"].search_count([])
        links = self.env["stock.value.entry.link"].search_count([])
        waiting = self.waiting()
        run = self.post("test")
        errors = run.line_ids.filtered(lambda line: not line.warning)
        for entry, reasons in self.expected.items():
            lines = errors.filtered(
                lambda line, entry=entry: line.value_entry_id == entry
            )
            for (reason, record), line in self.matched(reasons, lines).items():
                self.assertIn(reason, line.reason)
                self.assertMends(line, record)
            self.assertEqual(len(lines), len(reasons), lines.mapped("reason"))
        if all_of_them:
            self.assertEqual(set(errors.value_entry_id), set(self.expected))
            self.assertEqual(run.skipped_count, len(self.expected))
            self.assertEqual(run.entry_count, len(waiting) - len(self.expected))
        self.assertEqual(self.env["account.move"].search_count([]), moves)
        self.assertEqual(self.env["stock.value.entry.link"].search_count([]), links)
        self.assertEqual(self.waiting(), waiting)
        return run

    def matched(self, reasons, lines):
        """Return ``{(reason, record): line}``."""
        found = {}
        for reason, record in reasons:
            line = lines.filtered(lambda line, text=reason: text in line.reason)
            self.assertEqual(len(line), 1, (reason, lines.mapped("reason")))
            found[reason, record] = line
        return found

    def assertMends(self, line, record):
        """Check that the line's button opens the record where it is mended."""
        action = line.action_open_record()
        self.assertEqual(action["res_model"], record._name)
        self.assertEqual(action["res_id"] or False, record.id)

    # -- Setup lines ------------------------------------------------------------------

    def without_inventory_line(self):
        group = self.inventory_group.copy({"code": "OTHER", "name": "Other"})
        entry = self.entry(5.0, ledger_values={"inventory_posting_group_id": group.id})
        setup = self.env["inventory.posting.setup"]
        self.expect(entry, ("No line of the inventory posting setup", setup))

    def without_general_line(self):
        group = self.product_group.copy({"code": "OTHER", "name": "Other"})
        entry = self.entry(5.0, ledger_values={"product_posting_group_id": group.id})
        setup = self.env["general.posting.setup"]
        self.expect(entry, ("No line of the general posting setup", setup))

    def without_both_lines(self):
        groups = {
            f"{kind}_posting_group_id": self.env[f"{kind}.posting.group"]
            .create({"code": "BOTH", "name": "Both"})
            .id
            for kind in ("inventory", "product")
        }
        entry = self.entry(5.0, ledger_values=groups)
        for kind in ("inventory", "general"):
            self.expect(
                entry,
                (
                    f"No line of the {kind} posting setup",
                    self.env[f"{kind}.posting.setup"],
                ),
            )

    def without_accounts(self):
        """A line that has neither of the accounts of a value entry."""
        group = self.inventory_group.copy({"code": "EMPTY", "name": "Empty"})
        product_group = self.product_group.copy({"code": "EMPTY", "name": "Empty"})
        inventory_setup = self.inventory_setup.copy(
            {"inventory_posting_group_id": group.id, "inventory_account_id": False}
        )
        general_setup = self.general_setup.copy(
            {"product_posting_group_id": product_group.id, "cogs_account_id": False}
        )
        entry = self.entry(
            -5.0,
            "sale",
            ledger_values={
                "inventory_posting_group_id": group.id,
                "product_posting_group_id": product_group.id,
            },
        )
        self.expect(
            entry,
            ("has no account for Inventory", inventory_setup),
            ("has no account for Cost of Goods Sold", general_setup),
        )

    def blocked_line(self):
        group = self.business_group.copy({"code": "BLOCKED", "name": "Blocked"})
        setup = self.general_setup.copy(
            {"business_posting_group_id": group.id, "blocked": True}
        )
        entry = self.entry(5.0, ledger_values={"business_posting_group_id": group.id})
        self.expect(entry, ("is blocked", setup))

    def test_no_line_of_the_inventory_posting_setup(self):
        self.without_inventory_line()
        self.assertListed()

    def test_no_line_of_the_general_posting_setup(self):
        self.without_general_line()
        self.assertListed()

    def test_no_line_of_either_setup(self):
        self.without_both_lines()
        self.assertListed()

    def test_accounts_left_empty(self):
        self.without_accounts()
        self.assertListed()

    def test_blocked_line(self):
        self.blocked_line()
        self.assertListed()

    def test_a_reason_is_listed_once_an_entry(self):
        """Both roles of the entry are looked up in the line that is missing."""
        group = self.inventory_group.copy({"code": "OTHER", "name": "Other"})
        entry = self.entry(
            -5.0,
            "consumption",
            ledger_values={
                "inventory_posting_group_id": group.id,
                "order_model": "res.partner",
                "order_id": 1,
            },
        )
        setup = self.env["inventory.posting.setup"]
        self.expect(entry, ("No line of the inventory posting setup", setup))
        self.assertListed()

    # -- Accounts ---------------------------------------------------------------------

    def account(self, code, **values):
        """Return a new account."""
        return self.env["account.account"].create(
            {
                "name": f"Account {code}",
                "code": code,
                "account_type": "expense",
                **values,
            }
        )

    def source(self):
        """Return the values of a value entry whose source can be opened."""
        return {"source_model": "res.partner", "source_id": self.vendor.id}

    def bad_accounts(self):
        """An entry for each account that nothing can be posted to."""
        archived = self.account("779901")
        self.expect(
            self.entry(5.0, counter_account=archived.id),
            ("Account 779901 is archived", archived),
        )
        archived.active = False
        for number, account_type in enumerate(
            (
                "asset_receivable",
                "liability_payable",
                "asset_cash",
                "liability_credit_card",
                "off_balance",
            )
        ):
            reconcile = account_type in ("asset_receivable", "liability_payable")
            account = self.account(
                f"77991{number}", account_type=account_type, reconcile=reconcile
            )
            self.expect(
                self.entry(5.0, counter_account=account.id),
                ("receivable, payable, bank or off-balance", account),
            )
        euro = self.account("779920", currency_id=self.env.ref("base.EUR").id)
        self.expect(
            self.entry(5.0, counter_account=euro.id), ("only takes amounts in", euro)
        )
        other = self.make_company("Other Company")
        theirs = self.account("779921", company_ids=other.ids)
        self.expect(
            self.entry(5.0, counter_account=theirs.id, **self.source()),
            ("belongs to another company", self.vendor),
        )
        deleted = self.account("779922")
        self.expect(
            self.entry(5.0, counter_account=deleted.id, **self.source()),
            ("has been deleted", self.vendor),
        )
        deleted.unlink()

    def test_accounts_that_nothing_can_be_posted_to(self):
        self.bad_accounts()
        self.assertListed()

    def test_both_accounts_are_checked(self):
        for role in ("inventory", "cogs"):
            self.accounts[role].active = False
        entry = self.entry(-5.0, "sale")
        for role in ("inventory", "cogs"):
            account = self.accounts[role]
            self.expect(entry, (f"{account.display_name} is archived", account))
        self.assertListed(all_of_them=False)

    def test_account_of_the_setup_that_went_to_another_company(self):
        other = self.make_company("Other Company")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE account_account_res_company_rel SET res_company_id = %s "
            "WHERE account_account_id = %s",
            [other.id, self.accounts["cogs"].id],
        )
        self.env.invalidate_all()
        entry = self.entry(-5.0, "sale")
        self.expect(entry, ("belongs to another company", self.general_setup))
        self.assertListed()

    # -- Dates ------------------------------------------------------------------------

    def locked(self, *names):
        """Lock January with some of Odoo's lock dates."""
        self.company.write(dict.fromkeys(names, "2026-01-31"))

    def test_locked_dates(self):
        entry = self.entry(5.0)
        self.expect(entry, ("is locked", self.company))
        for name in ("fiscalyear_lock_date", "hard_lock_date"):
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                self.locked(name)
                self.assertListed()
                savepoint.rollback()

    def test_both_locks_are_named(self):
        self.entry(5.0)
        self.locked("fiscalyear_lock_date", "hard_lock_date")
        reason = self.post("test").line_ids.reason
        for name in ("Global Lock Date", "Hard Lock Date"):
            self.assertIn(name, reason)

    def test_locks_that_do_not_matter(self):
        self.entry(5.0)
        self.locked("sale_lock_date", "purchase_lock_date", "tax_lock_date")
        self.assertListed()

    def exception(self, **values):
        """Open January for a while."""
        return self.env["account.lock_exception"].create(
            {
                "company_id": self.company.id,
                "user_id": self.env.uid,
                "fiscalyear_lock_date": False,
                "end_datetime": fields.Datetime.now() + timedelta(days=1),
                **values,
            }
        )

    def test_exceptions_from_the_lock(self):
        entry = self.entry(5.0)
        self.locked("fiscalyear_lock_date")
        self.exception()
        run = self.assertListed()
        self.assertFalse(run.line_ids)
        self.post()
        self.assertEqual(str(entry.link_ids.debit_line_id.date), "2026-01-15")

    def test_exceptions_that_do_not_help(self):
        self.expect(self.entry(5.0), ("is locked", self.company))
        self.locked("fiscalyear_lock_date")
        self.exception(user_id=self.user_with("group_accountant").id)
        self.exception(end_datetime=fields.Datetime.now() - timedelta(days=1))
        self.exception(fiscalyear_lock_date="2026-01-20")
        self.exception().action_revoke()
        self.assertListed()

    def test_no_exception_from_the_hard_lock(self):
        self.expect(self.entry(5.0), ("is locked", self.company))
        self.locked("fiscalyear_lock_date", "hard_lock_date")
        self.exception()
        self.assertListed()

    def test_closed_inventory_period_is_a_warning(self):
        entry = self.entry(5.0)
        period = (
            self.env["inventory.period"]
            .sudo()
            .create({"ending_date": "2026-01-31", "company_id": self.company.id})
        )
        self.assertFalse(self.assertListed().warning_count)
        period.closed = True
        run = self.assertListed()
        line = run.line_ids
        self.assertEqual((line.value_entry_id, line.warning), (entry, True))
        self.assertIn("closed inventory period", line.reason)
        self.assertMends(line, period)
        self.post()
        self.assertEqual(entry.cost_posted_to_gl, 5.0)

    # -- Types of entries -------------------------------------------------------------

    def wrong_types(self):
        source = self.source()
        self.expect(
            self.entry(-5.0, "sale", entry_type="indirect_cost", **source),
            ("this combination of entry types is not posted", self.vendor),
        )
        self.expect(
            self.entry(entry_type="rounding", expected_amount=5.0, **source),
            ("can't have expected cost", self.vendor),
        )
        self.expect(
            self.entry(-5.0, "consumption", **source), ("names no order", self.vendor)
        )

    def test_types_that_are_not_posted(self):
        self.company.expected_cost_posting = True
        self.wrong_types()
        self.assertListed()

    def test_source_that_was_deleted(self):
        """The way out is the value entry then."""
        entry = self.entry(-5.0, "sale", entry_type="indirect_cost")
        self.expect(entry, ("this combination of entry types is not posted", entry))
        self.assertListed()

    # -- Journal ----------------------------------------------------------------------

    def test_no_journal(self):
        self.company.inventory_cost_journal_id = False
        settings = self.env["res.config.settings"]
        self.expect(self.good, ("has no journal for inventory cost", settings))
        self.assertListed()
        with self.assertRaisesRegex(UserError, "has no journal"):
            self.post()

    def test_archived_journal(self):
        self.journal.active = False
        self.expect(self.good, ("is archived or not of the type", self.journal))
        self.assertListed()

    def test_journal_of_another_type(self):
        self.journal.type = "sale"
        self.expect(self.good, ("is archived or not of the type", self.journal))
        self.assertListed()

    def test_journal_of_another_company(self):
        other = self.make_company("Other Company")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE account_journal SET company_id = %s WHERE id = %s",
            [other.id, self.journal.id],
        )
        self.env.invalidate_all()
        self.expect(self.good, ("belongs to another company", self.journal))
        self.assertListed()
        with self.assertRaisesRegex(UserError, "belongs to another company"):
            self.post()

    # -- What account.move refuses ----------------------------------------------------

    def test_trouble_with_the_numbering(self):
        """Found only by numbering the journal entries: the test does, and undoes it."""
        self.journal.sequence_override_regex = r"^(?P<prefix1>.*)$"
        self.expect(self.good, ("The journal entry was refused", self.journal))
        self.assertListed()
        self.journal.sequence_override_regex = False
        self.expected = {}
        self.assertListed()

    def test_what_another_module_refuses(self):
        bad = self.entry(2.0, date="2026-01-20")
        Moves = type(self.env["account.move"])
        posting = Moves._post

        def refuse(moves, soft=True):
            if "2026-01-20" in map(str, moves.mapped("date")):
                raise UserError(moves.env._("Not on my watch."))
            return posting(moves, soft)

        self.expect(bad, ("Not on my watch.", self.journal))
        with patch.object(Moves, "_post", refuse):
            self.assertListed()

    def test_the_numbers_tried_are_free_again(self):
        self.post("test")
        first = self.post().journal_entry_ids
        self.assertTrue(first.name.endswith("0001"), first.name)

    # -- Analytic plans: a warning ----------------------------------------------------

    def mandatory_plan(self):
        """Return a new plan that journal entries have to be distributed over."""
        plan = self.env["account.analytic.plan"].create(
            {
                "name": "Departments",
                "applicability_ids": [
                    fields.Command.create(
                        {
                            "business_domain": "general",
                            "applicability": "mandatory",
                            "company_id": self.company.id,
                        }
                    )
                ],
            }
        )
        self.env["account.analytic.account"].create({"name": "A", "plan_id": plan.id})
        return plan

    def test_mandatory_analytic_plan_is_a_warning(self):
        plan = self.mandatory_plan()
        run = self.assertListed()
        warnings = run.line_ids
        self.assertEqual(warnings.value_entry_id, self.good)
        self.assertEqual(set(warnings.mapped("warning")), {True})
        self.assertEqual(run.warning_count, len(warnings))
        action = run.action_open_warnings()
        self.assertEqual(warnings.search(action["domain"]), warnings)
        self.assertFalse(warnings.search(run.action_open_skipped()["domain"]))
        for line in warnings:
            self.assertIn("needs an analytic distribution", line.reason)
            self.assertMends(line, plan)
        posted = self.post()
        self.assertEqual(self.good.cost_posted_to_gl, 1.0)
        self.assertFalse(posted.line_ids, "posting lists what it skipped, only")

    def test_kind_of_account_is_a_warning(self):
        self.accounts["inventory"].account_type = "expense"
        self.accounts["direct_cost_applied"].account_type = "liability_current"
        run = self.assertListed()
        reasons = {line.res_model: line.reason for line in run.line_ids}
        self.assertEqual(set(run.line_ids.mapped("warning")), {True})
        self.assertIn("the balance sheet was", reasons["inventory.posting.setup"])
        self.assertIn("profit and loss was", reasons["general.posting.setup"])

    def test_no_warning_of_accounts_that_documents_name(self):
        self.post()
        account = self.account("779901", account_type="liability_current")
        self.entry(5.0, counter_account=account.id)
        self.assertFalse(self.post("test").line_ids)

    # -- All of them ------------------------------------------------------------------

    def test_all_at_once(self):
        self.company.expected_cost_posting = True
        self.without_inventory_line()
        self.without_general_line()
        self.without_both_lines()
        self.without_accounts()
        self.blocked_line()
        self.bad_accounts()
        self.wrong_types()
        self.mandatory_plan()
        self.assertListed()
        self.locked("fiscalyear_lock_date")
        self.journal.active = False
        self.expect(self.good)
        for entry, reasons in self.expected.items():
            if entry != self.good:
                reasons.append(("is locked", self.company))
            reasons.append(("is archived or not of the type", self.journal))
        self.assertListed()

    def test_mended_one_after_the_other(self):
        """What the buttons open is where it is mended: then all can be posted."""
        self.without_accounts()
        self.blocked_line()
        self.without_inventory_line()
        for line in self.assertListed().line_ids:
            action = line.action_open_record()
            record = self.env[action["res_model"]].browse(action["res_id"] or ())
            if not record:
                record.with_context(**action["context"]).create(
                    {"inventory_account_id": self.accounts["inventory"].id}
                )
            elif "blocked" in record._fields and record.blocked:
                record.blocked = False
            else:
                role = "inventory" if "Inventory." in line.reason else "cogs"
                record[f"{role}_account_id"] = self.accounts[role]
        self.expected = {}
        self.assertListed()
        self.post()
        self.assertFalse(self.waiting())
        self.assertConserved()
