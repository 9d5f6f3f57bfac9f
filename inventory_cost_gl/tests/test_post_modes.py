from odoo.tests import tagged

from .posting_common import PostingCommon


@tagged("post_install", "-at_install")
class TestPostModes(PostingCommon):
    """What each mode and granularity of posting writes."""

    def test_a_purchase_is_posted(self):
        entry = self.entry(70.0)
        run = self.post()
        self.assertEqual(
            self.items(run),
            [
                ("2026-01-15", "inventory", 70.0),
                ("2026-01-15", "direct_cost_applied", -70.0),
            ],
        )
        self.assertRecordValues(
            run.journal_entry_ids,
            [
                {
                    "state": "posted",
                    "journal_id": self.journal.id,
                    "company_id": self.company.id,
                    "move_type": "entry",
                }
            ],
        )
        self.assertEqual(entry.cost_posted_to_gl, 70.0)
        self.assertFalse(self.waiting())
        self.assertConserved()

    def test_a_decrease_turns_debit_and_credit_round(self):
        self.entry(-70.0, "sale")
        run = self.post()
        self.assertEqual(self.balances(run), {"cogs": 70.0, "inventory": -70.0})
        self.assertConserved()

    def test_expected_and_actual_cost_of_one_entry(self):
        receipt = self.ledger_entry()
        self.entry(ledger_entry=receipt, expected_amount=150.0, expected=True)
        self.entry(165.0, ledger_entry=receipt, expected_amount=-150.0)
        run = self.post()
        self.assertEqual(
            self.balances(run),
            {
                "inventory_interim": 0.0,
                "accrual_interim": 0.0,
                "inventory": 165.0,
                "direct_cost_applied": -165.0,
            },
        )
        self.assertEqual(run.entry_count, 2)
        self.assertConserved()

    def test_the_run_records_what_it_did(self):
        self.entry(70.0)
        self.entry(-30.0, "sale")
        run = self.post(until_date="2026-02-28")
        self.assertRecordValues(
            run,
            [
                {
                    "kind": "post",
                    "mode": "post",
                    "state": "done",
                    "granularity": "posting_group",
                    "entry_count": 2,
                    "skipped_count": 0,
                    "journal_entry_count": 1,
                    "amount": 100.0,
                    "user_id": self.env.user.id,
                    "journal_id": self.journal.id,
                }
            ],
        )
        self.assertTrue(run.started_at and run.finished_at and run.name)
        self.assertGreater(run.duration, 0)
        self.assertEqual(str(run.until_date), "2026-02-28")

    def test_runs_are_numbered_by_company(self):
        names = [self.post().name for _number in range(2)]
        self.assertEqual(len(set(names)), 2)
        self.assertTrue(all(name.startswith("ICR/") for name in names))

    def test_posting_groups_add_up_documents_and_keep_dates_apart(self):
        self.entry(1.0, document_ref="A")
        self.entry(2.0, document_ref="B")
        self.entry(4.0, document_ref="B", date="2026-01-16")
        run = self.post()
        self.assertEqual(
            self.items(run),
            [
                ("2026-01-15", "inventory", 3.0),
                ("2026-01-15", "direct_cost_applied", -3.0),
                ("2026-01-16", "inventory", 4.0),
                ("2026-01-16", "direct_cost_applied", -4.0),
            ],
        )
        self.assertConserved()

    def test_posting_groups_keep_signs_locations_and_groups_apart(self):
        other = self.env["business.posting.group"].create(
            {"code": "ABROAD", "name": "Abroad"}
        )
        self.entry(1.0)
        self.entry(-2.0)
        self.entry(4.0, ledger_values={"business_posting_group_id": other.id})
        self.entry(
            8.0,
            ledger_values={"cost_location_id": self.warehouse_2.view_location_id.id},
        )
        run = self.post()
        self.assertEqual(
            sorted(run.journal_entry_ids.line_ids.mapped("debit")),
            [0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 4.0, 8.0],
        )
        self.assertEqual(len(run.journal_entry_ids), 1)
        self.assertConserved()

    def test_different_types_of_the_same_roles_share_a_pair(self):
        self.entry(1.0, entry_type="revaluation")
        self.entry(2.0, entry_type="rounding")
        run = self.post()
        self.assertEqual(
            [line[2] for line in self.items(run)], [3.0, -3.0], "one pair of lines"
        )

    def test_per_document_a_pair_for_each_document(self):
        self.entry(1.0, document_ref="A")
        self.entry(2.0, document_ref="A")
        self.entry(-8.0, "sale", document_ref="A")
        self.entry(4.0, document_ref="B")
        run = self.post(granularity="document")
        self.assertEqual(sorted(run.journal_entry_ids.mapped("ref")), ["A", "B"])
        first = run.journal_entry_ids.filtered(lambda move: move.ref == "A")
        self.assertEqual(
            first.line_ids.sorted("id").mapped("balance"), [3.0, -3.0, 8.0, -8.0]
        )
        self.assertConserved()

    def test_per_entry_a_pair_for_each_value_entry(self):
        self.entry(1.0, document_ref="A")
        self.entry(2.0, document_ref="A")
        self.entry(4.0, document_ref="B")
        run = self.post(granularity="entry")
        self.assertEqual(run.journal_entry_count, 2)
        first = run.journal_entry_ids.filtered(lambda move: move.ref == "A")
        self.assertEqual(
            first.line_ids.sorted("id").mapped("balance"), [1.0, -1.0, 2.0, -2.0]
        )
        self.assertIn(self.fifo.name, first.line_ids[:1].name)
        self.assertConserved()

    def test_items_and_links_of_each_detail(self):
        abroad = self.env["business.posting.group"].create(
            {"code": "ABROAD", "name": "Abroad"}
        )
        self.entry(1.0, document_ref="A")
        self.entry(
            2.0,
            document_ref="A",
            ledger_values={"business_posting_group_id": abroad.id},
        )
        self.entry(-4.0, "sale", document_ref="A")
        self.entry(8.0, document_ref="B")
        self.entry(5.0, document_ref="B", date="2026-01-16")
        self.entry(-5.0, document_ref="B", date="2026-01-16")
        expected = {
            # Both dates; the 15th: domestic, abroad, sold; the 16th adds up to 0, yet
            # each value entry has its journal items.
            "posting_group": (2, [9.0, 2.0, 4.0, 5.0, 5.0]),
            # A and B on the 15th, B on the 16th; a document adds its groups up.
            "document": (3, [3.0, 4.0, 8.0, 5.0, 5.0]),
            "entry": (3, [1.0, 2.0, 4.0, 8.0, 5.0, 5.0]),
        }
        for granularity, (moves, debits) in expected.items():
            with self.subTest(granularity=granularity), self.env.cr.savepoint() as sp:
                run = self.post(granularity=granularity)
                items = run.journal_entry_ids.line_ids
                self.assertEqual(len(run.journal_entry_ids), moves)
                self.assertEqual(len(items), 2 * len(debits))
                self.assertEqual(
                    sorted(items.filtered("debit").mapped("debit")), sorted(debits)
                )
                for move in run.journal_entry_ids:
                    self.assertEqual(sum(move.line_ids.mapped("balance")), 0.0)
                    self.assertEqual(sum(move.line_ids.mapped("amount_currency")), 0.0)
                links = self.env["stock.value.entry.link"].search(
                    [("run_id", "=", run.id)]
                )
                self.assertEqual(len(links), 6, "each value entry is linked once")
                self.assertConserved()
                sp.rollback()

    def test_preview_equals_post_line_by_line(self):
        self.entry(1.0, document_ref="A")
        self.entry(2.5, document_ref="B", expected_amount=3.0)
        self.entry(-4.0, "sale", document_ref="B", date="2026-01-16")
        self.entry(8.0, "output", ledger_values={"inventory_posting_group_id": None})
        for granularity in ("posting_group", "document", "entry"):
            with self.subTest(granularity=granularity), self.env.cr.savepoint() as sp:
                preview = self.post("preview", granularity)
                self.assertFalse(preview.journal_entry_ids)
                self.assertEqual(len(self.waiting()), 4)
                posted = self.post("post", granularity)
                planned = preview.plan_line_ids
                self.assertEqual(
                    [
                        (line.date, account, line.name, debit, credit)
                        for line in planned
                        for account, debit, credit in (
                            (line.debit_account_id, line.amount, 0.0),
                            (line.credit_account_id, 0.0, line.amount),
                        )
                    ],
                    [
                        (line.date, line.account_id, line.name)
                        + (line.debit, line.credit)
                        for line in posted.journal_entry_ids.sorted(
                            "id"
                        ).line_ids.sorted(lambda line: (line.move_id.id, line.id))
                    ],
                )
                self.assertEqual(preview.amount, posted.amount)
                self.assertEqual(preview.entry_count, posted.entry_count)
                sp.rollback()

    def test_preview_writes_nothing_but_the_run(self):
        self.entry(70.0)
        moves = self.env["account.move"].search_count([])
        run = self.post("preview")
        self.assertEqual(self.env["account.move"].search_count([]), moves)
        self.assertFalse(self.env["stock.value.entry.link"].search_count([]))
        self.assertEqual(run.plan_line_ids.mapped("value_entry_count"), [1])
        self.assertFalse(run.plan_line_ids.move_id)
        self.assertEqual(run.state, "done")

    def test_test_mode_writes_nothing_but_the_run(self):
        self.entry(70.0)
        moves = self.env["account.move"].search_count([])
        run = self.post("test")
        self.assertEqual(self.env["account.move"].search_count([]), moves)
        self.assertEqual(len(self.waiting()), 1)
        self.assertFalse(run.line_ids)
        self.assertEqual((run.entry_count, run.skipped_count), (1, 0))

    def test_posting_twice_posts_nothing_the_second_time(self):
        self.entry(70.0)
        self.post()
        run = self.post()
        self.assertEqual((run.entry_count, run.journal_entry_count), (0, 0))
        self.assertFalse(run.journal_entry_ids)
        self.assertEqual(self.gl("inventory"), 70.0)
        self.assertConserved()

    def test_only_the_difference_to_what_is_linked_is_posted(self):
        entry = self.entry(70.0)
        self.post()
        self.env["stock.value.entry.queue"].create(
            {
                "company_id": self.company.id,
                "value_entry_id": entry.id,
                "kind": "actual",
                "posting_date": entry.posting_date,
                "product_id": entry.product_id.id,
            }
        )
        run = self.post()
        self.assertFalse(run.journal_entry_ids)
        self.assertFalse(self.waiting(), "with nothing to post it leaves the queue")

    def test_until_date(self):
        self.entry(1.0, date="2026-01-31")
        later = self.entry(2.0, date="2026-02-01")
        run = self.post(until_date="2026-01-31")
        self.assertEqual(run.amount, 1.0)
        self.assertEqual(self.waiting(), later)
        self.assertEqual(self.post().amount, 2.0)
        self.assertConserved()

    def test_product_and_category_filters(self):
        self.entry(1.0)
        average = self.entry(2.0, ledger_values={"product_id": self.average.id})
        standard = self.entry(4.0, ledger_values={"product_id": self.standard.id})
        run = self.post(product_ids=self.fifo.ids)
        self.assertEqual((run.amount, run.product_ids), (1.0, self.fifo))
        self.assertEqual(self.waiting(), average | standard)
        parent = self.env["product.category"].create({"name": "All Managed"})
        self.average.categ_id.parent_id = parent
        run = self.post(category_ids=parent.ids)
        self.assertEqual((run.amount, run.category_ids), (2.0, parent))
        self.assertEqual(self.waiting(), standard)

    def test_the_wizard_counts_what_waits_within_its_filters(self):
        self.company.expected_cost_posting = True
        self.entry(1.0, expected_amount=5.0)
        self.entry(
            2.0, ledger_values={"product_id": self.average.id}, date="2026-02-01"
        )
        wizard = self.env["inventory.cost.post"].new({})
        self.assertEqual(wizard.waiting_count, 2)
        wizard.until_date = "2026-01-31"
        self.assertEqual(wizard.waiting_count, 1)
        wizard.product_ids = self.average
        self.assertEqual(wizard.waiting_count, 0)

    def test_the_wizard_proposes_the_companys_detail(self):
        self.company.cost_posting_granularity = "entry"
        wizard = self.env["inventory.cost.post"].new({})
        self.assertEqual(wizard.granularity, "entry")
        self.assertEqual(wizard.journal_id, self.journal)

    def test_counter_account_replaces_the_second_role(self):
        freight = self.env["account.account"].create(
            {"name": "Freight", "code": "779900", "account_type": "expense"}
        )
        self.entry(12.0, counter_account=freight.id)
        run = self.post()
        self.assertEqual(self.balances(run), {"inventory": 12.0, freight: -12.0})

    def test_the_most_specific_setup_wins(self):
        accounts = self.env["account.account"].create(
            [
                {"name": name, "code": code, "account_type": "asset_current"}
                for name, code in (("Stock 2", "779901"), ("Applied", "779902"))
            ]
        )
        self.inventory_setup.copy(
            {
                "cost_location_id": self.warehouse_2.view_location_id.id,
                "inventory_account_id": accounts[0].id,
            }
        )
        self.general_setup.copy(
            {
                "business_posting_group_id": self.business_group.id,
                "direct_cost_applied_account_id": accounts[1].id,
            }
        )
        self.entry(
            1.0,
            ledger_values={"cost_location_id": self.warehouse_2.view_location_id.id},
        )
        run = self.post()
        self.assertEqual(self.balances(run), {accounts[0]: 1.0, accounts[1]: -1.0})

    def test_an_entry_without_groups_takes_the_products_present_ones(self):
        self.entry(
            1.0,
            ledger_values={
                "inventory_posting_group_id": False,
                "product_posting_group_id": False,
            },
        )
        run = self.post()
        self.assertEqual(
            self.balances(run), {"inventory": 1.0, "direct_cost_applied": -1.0}
        )

    def test_small_amounts_add_up_exactly(self):
        for _number in range(10):
            self.entry(0.1)
        run = self.post()
        self.assertEqual(self.items(run)[0][2], 1.0)
        self.assertEqual(run.amount, 1.0)
        self.assertConserved()


@tagged("post_install", "-at_install")
class TestPostExpectedCost(PostingCommon):
    """Expected cost: posted by setting, cleared whatever the setting."""

    def setUp(self):
        super().setUp()
        self.receipt = self.ledger_entry()

    def expect(self, amount, **values):
        """Record expected cost of the receipt and queue it, whatever the setting."""
        entry = self.entry(
            ledger_entry=self.receipt, expected_amount=amount, expected=True, **values
        )
        queue = self.env["stock.value.entry.queue"]
        if entry not in queue.search([]).value_entry_id:
            queue.create(
                {
                    "company_id": self.company.id,
                    "value_entry_id": entry.id,
                    "kind": "expected",
                    "posting_date": entry.posting_date,
                    "product_id": entry.product_id.id,
                }
            )
        return entry

    def test_not_posted_when_switched_off(self):
        self.company.expected_cost_posting = False
        self.expect(100.0)
        run = self.post()
        self.assertFalse(run.journal_entry_ids)
        self.assertFalse(run.skipped_count, "it is not wanted: no reason to list it")
        self.assertFalse(self.waiting())

    def test_what_was_posted_is_cleared_after_switching_off(self):
        self.expect(100.0)
        self.post()
        self.company.expected_cost_posting = False
        self.expect(-100.0)
        self.post()
        self.assertEqual(self.gl("inventory_interim"), 0.0)
        self.expect(40.0)
        self.assertFalse(self.post().journal_entry_ids)
        self.assertConserved()

    def test_other_receipts_do_not_count(self):
        self.expect(100.0)
        self.post()
        self.company.expected_cost_posting = False
        self.receipt = self.ledger_entry()
        self.expect(50.0)
        self.assertFalse(self.post().journal_entry_ids)
        self.assertEqual(self.gl("inventory_interim"), 100.0)
