from odoo.exceptions import AccessError
from odoo.tests import Form, tagged

from ..models.posting_accounts import PostingAccounts
from .posting_common import PostingCommon


@tagged("post_install", "-at_install")
class TestLockDates(PostingCommon):
    """Where a locked posting date is mended, and by whom."""

    def locked_line(self, **locks):
        """Return the line of an entry that is skipped as its date is locked."""
        self.entry(5.0)
        self.company.write(locks)
        [line] = self.post("test").line_ids
        return line

    def dialog(self, line, user):
        """Return the form that the line's button opens, as a user meets it."""
        action = line.action_open_record()
        self.assertEqual(action["res_model"], "res.company")
        self.assertEqual(action["target"], "new")
        [(view, _kind)] = action["views"]
        company = self.as_user(self.env["res.company"], user).browse(action["res_id"])
        return Form(company, view=self.env["ir.ui.view"].browse(view))

    def test_who_changes_companies_opens_the_date(self):
        line = self.locked_line(fiscalyear_lock_date="2026-01-31")
        user = self.user_with("group_accountant", "base.group_erp_manager")
        with self.dialog(line, user) as form:
            form.fiscalyear_lock_date = "2026-01-10"
        self.assertEqual(str(self.company.fiscalyear_lock_date), "2026-01-10")
        self.assertTrue(self.post().journal_entry_ids)

    def test_others_read_whom_to_ask(self):
        line = self.locked_line(fiscalyear_lock_date="2026-01-31")
        user = self.user_with("group_accountant", "account.group_account_manager")
        form = self.dialog(line, user)
        self.assertIn("Ask one of", "".join(form._view["tree"].itertext()))
        form.fiscalyear_lock_date = False
        with self.assertRaises(AccessError):
            form.save()

    def test_a_hard_lock_is_not_offered(self):
        line = self.locked_line(hard_lock_date="2026-01-31")
        self.assertIn("locked for good", line.reason)
        self.assertIn("on the first open date", line.reason)
        user = self.user_with("group_accountant", "base.group_erp_manager")
        with self.assertRaisesRegex(AssertionError, "readonly"):
            self.dialog(line, user).hard_lock_date = False

    def test_a_branch_is_mended_at_its_parent(self):
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id}
        )
        for company in (self.company, branch):
            self.company.fiscalyear_lock_date = False
            company.fiscalyear_lock_date = "2026-01-31"
            day = company.fiscalyear_lock_date
            [problem] = PostingAccounts(self.env, branch).date_problem(day)
            self.assertEqual((problem.res_model, problem.res_id), self.key_of(company))

    @staticmethod
    def key_of(record):
        """Return the model and id of a record."""
        return record._name, record.id
