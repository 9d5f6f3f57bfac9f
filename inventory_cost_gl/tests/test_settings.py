"""The company's cost settings, and what changing them sets in motion."""

from lxml import etree

from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.tests import Form, new_test_user, tagged

from .test_master_data import MasterDataCommon

SETTINGS = {
    "automatic_cost_posting": ("off", "background"),
    "expected_cost_posting": (True, False),
    "automatic_cost_adjustment": ("always", "month"),
    "average_cost_calc_type": ("item", "item_location"),
    "average_cost_period": ("transaction", "month"),
    "cost_posting_granularity": ("posting_group", "document"),
}


@tagged("post_install", "-at_install")
class TestSettings(MasterDataCommon):
    def guard_version(self):
        """Return how often the guard of the company was taken."""
        guard = self.env["inventory.cost.guard"].search(
            [("company_id", "=", self.company.id)]
        )
        guard.invalidate_recordset()
        return guard.version

    def expected(self, product, amount=30.0, invoiced=0.0, quantity=5.0):
        """Return a value entry with expected cost that is not queued."""
        entry = self.record(product, quantity, 0.0, invoiced=0.0)
        value_entry = entry.value_entry_ids.create(
            {
                "company_id": self.company.id,
                "ledger_entry_id": entry.id,
                "product_id": product.id,
                "entry_type": "direct_cost",
                "item_ledger_entry_type": "purchase",
                "cost_amount_expected": amount,
                "invoiced_quantity": invoiced,
                "expected": True,
                "posting_date": "2026-01-10",
                "valuation_date": "2026-01-10",
                "source_model": "stock.move",
                "source_id": 2,
                "cost_location_id": entry.cost_location_id.id,
                "recorded_at": fields.Datetime.now(),
            }
        )
        self.queue().unlink()
        return value_entry

    def queue(self, kind="expected"):
        return self.env["stock.value.entry.queue"].search(
            [("company_id", "=", self.company.id), ("kind", "=", kind)]
        )

    def post_by_hand(self, value_entry, amount):
        """Link an entry to journal items as posting does."""
        move = self.env["account.move"].create(
            {
                "journal_id": self.company.inventory_cost_journal_id.id,
                "line_ids": [
                    Command.create(
                        {
                            "account_id": self.accounts[role].id,
                            "balance": sign * abs(amount),
                        }
                    )
                    for role, sign in (
                        ("inventory_interim", 1),
                        ("accrual_interim", -1),
                    )
                ],
            }
        )
        self.env["stock.value.entry.link"].create(
            {
                "company_id": self.company.id,
                "value_entry_id": value_entry.id,
                "kind": "expected",
                "amount": amount,
                "debit_line_id": move.line_ids[0].id,
                "credit_line_id": move.line_ids[1].id,
            }
        )

    def test_defaults(self):
        company = self.make_company("New Company")
        for field, (default, _other) in SETTINGS.items():
            self.assertEqual(company[field], default, field)

    def test_screen(self):
        """Each setting of the screen is the company's."""
        with Form(self.env["res.config.settings"]) as form:
            for field, (_default, other) in SETTINGS.items():
                form[field] = other
            form.inventory_cost_tz = "Europe/Berlin"
        form.record.execute()
        for field, (_default, other) in SETTINGS.items():
            self.assertEqual(self.company[field], other, field)
        self.assertEqual(self.company.inventory_cost_tz, "Europe/Berlin")

    def test_screen_explains_each_setting(self):
        """Every field of the section has a sentence beside it."""
        arch = self.env["res.config.settings"].get_view(view_type="form")["arch"]
        [section] = etree.fromstring(arch).xpath("//app[@name='inventory_cost_gl']")
        for setting in section.iter("setting"):
            self.assertTrue(setting.get("help"), setting.get("id"))
        shown = {field.get("name") for field in section.iter("field")}
        self.assertGreaterEqual(
            shown, {*SETTINGS, "inventory_cost_journal_id", "inventory_cost_tz"}
        )

    def test_settings_per_company(self):
        other = self.make_company("Other Company")
        self.company.automatic_cost_posting = "immediate"
        self.assertEqual(other.automatic_cost_posting, "off")

    def test_change_takes_the_guard(self):
        for field, (_default, other) in SETTINGS.items():
            with self.subTest(field=field):
                before = self.guard_version()
                self.company[field] = other
                self.assertEqual(self.guard_version(), before + 1)
                self.company.write({field: other})
                self.assertEqual(self.guard_version(), before + 1)

    def test_other_fields_leave_the_guard(self):
        before = self.guard_version()
        self.company.write({"name": "Renamed", "automatic_cost_posting": "off"})
        self.assertEqual(self.guard_version(), before)

    def test_new_company_has_a_guard(self):
        company = self.env["res.company"].create({"name": "New Company"})
        guard = self.env["inventory.cost.guard"].search(
            [("company_id", "=", company.id)]
        )
        self.assertEqual(len(guard), 1)

    def test_only_managers(self):
        admin = new_test_user(
            self.env,
            "erp_manager",
            "base.group_erp_manager",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        company = self.company.with_user(admin)
        company.write({"sequence": 3, "automatic_cost_posting": "off"})
        for field, (_default, other) in SETTINGS.items():
            with (
                self.subTest(field=field),
                self.assertRaisesRegex(AccessError, "managers of inventory cost"),
            ):
                company.write({field: other})

    # -- Expected cost ----------------------------------------------------------------

    def test_expected_off(self):
        """Turned off, expected cost leaves the queue; actual cost stays."""
        self.receive(self.buy(self.fifo, 5, 4.0))
        self.count(self.average, 5)
        actual = self.queue("actual")
        self.assertTrue(self.queue())
        self.assertTrue(actual)
        self.company.expected_cost_posting = False
        self.assertFalse(self.queue())
        self.assertEqual(self.queue("actual"), actual)

    def test_expected_on(self):
        self.company.expected_cost_posting = False
        entry = self.expected(self.fifo)
        self.assertFalse(self.queue())
        self.company.expected_cost_posting = True
        self.assertRecordValues(
            self.queue(),
            [
                {
                    "value_entry_id": entry.id,
                    "product_id": self.fifo.id,
                    "posting_date": entry.posting_date,
                }
            ],
        )

    def test_expected_on_twice(self):
        self.expected(self.fifo)
        for _time in range(2):
            self.env["stock.value.entry.queue"]._queue_expected(self.company)
            self.assertEqual(len(self.queue()), 1)

    def test_expected_on_completely_invoiced(self):
        self.company.expected_cost_posting = False
        entry = self.expected(self.fifo)
        invoiced = {"cost_amount_expected": -30.0, "invoiced_quantity": 5.0}
        entry.copy({**invoiced, "expected": False})
        self.company.expected_cost_posting = True
        self.assertFalse(self.queue())

    def test_expected_on_posted_already(self):
        self.company.expected_cost_posting = False
        entry = self.expected(self.fifo)
        self.post_by_hand(entry, 30.0)
        self.company.expected_cost_posting = True
        self.assertFalse(self.queue())

    def test_expected_on_after_a_reversed_run(self):
        self.company.expected_cost_posting = False
        entry = self.expected(self.fifo)
        self.post_by_hand(entry, 30.0)
        self.post_by_hand(entry, -30.0)
        self.company.expected_cost_posting = True
        self.assertEqual(self.queue().value_entry_id, entry)

    def test_expected_of_the_company(self):
        self.expected(self.fifo)
        other = self.make_company("Other Company")
        self.env["stock.value.entry.queue"]._queue_expected(other)
        self.assertFalse(self.queue())

    def test_expected_is_one_statement(self):
        for product in (self.fifo, self.average):
            self.expected(product)
        self.env.flush_all()
        with self.assertQueryCount(1):
            self.env["stock.value.entry.queue"]._queue_expected(self.company)
        self.assertEqual(len(self.queue()), 2)
