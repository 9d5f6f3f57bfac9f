from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.tests import tagged

from .common import InventoryCostCommon

SOURCE = "stock.move"


@tagged("post_install", "-at_install")
class TestStatements(InventoryCostCommon):
    """Sources state, the ledger appends (DESIGN § 2)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ValueEntry = cls.env["stock.value.entry"]
        cls.first, cls.second = cls.make_ledger_entries(2)

    @classmethod
    def make_ledger_entries(cls, number, company=None, product=None, location=None):
        company = company or cls.company
        return cls.env["stock.ledger.entry"]._insert(
            [
                {
                    "company_id": company.id,
                    "product_id": (product or cls.fifo).id,
                    "cost_location_id": (location or cls.warehouse.view_location_id).id,
                    "entry_type": "purchase",
                    "quantity": 10.0,
                    "posting_date": "2026-01-05",
                    "valuation_date": "2026-01-05",
                }
                for _number in range(number)
            ]
        )

    def state(self, actual=0.0, entry=None, source=1, withdrawn=(), **values):
        return self.ValueEntry._state(
            SOURCE,
            [
                {
                    "source_id": source,
                    "ledger_entry_id": (entry or self.first).id,
                    "entry_type": "direct_cost",
                    "cost_amount_actual": actual,
                    "posting_date": "2026-01-05",
                    **values,
                }
            ],
            withdrawn,
        )

    def withdraw(self, entry=None, source=1):
        return self.ValueEntry._state(SOURCE, [], [(source, (entry or self.first).id)])

    def total(self, entry=None, **domain):
        entries = self.ValueEntry.search(
            [("ledger_entry_id", "=", (entry or self.first).id)]
            + [(name, "=", value) for name, value in domain.items()]
        )
        return (
            self.currency.round(sum(entries.mapped("cost_amount_expected"))),
            self.currency.round(sum(entries.mapped("cost_amount_actual"))),
            round(sum(entries.mapped("invoiced_quantity")), 6),
        )

    # -- Differences ---------------------------------------------------------------

    def test_the_first_statement_is_recorded_whole(self):
        entry = self.state(120.0, ledger_entry_quantity=10.0, invoiced_quantity=10.0)
        self.assertEqual(len(entry), 1)
        self.assertEqual(entry.cost_amount_actual, 120.0)
        self.assertEqual(entry.ledger_entry_quantity, 10.0)
        self.assertEqual(entry.invoiced_quantity, 10.0)
        self.assertEqual(entry.source_model, SOURCE)
        self.assertEqual(entry.source_id, 1)
        self.assertFalse(entry.adjustment)

    def test_stating_the_same_again_appends_nothing(self):
        values = {"ledger_entry_quantity": 10.0, "invoiced_quantity": 10.0}
        self.assertTrue(self.state(120.0, **values))
        for _time in range(3):
            self.assertFalse(self.state(120.0, **values))

    def test_a_difference_is_appended_and_nothing_else(self):
        self.state(120.0, ledger_entry_quantity=10.0, invoiced_quantity=6.0)
        entry = self.state(125.5, ledger_entry_quantity=10.0, invoiced_quantity=6.0)
        self.assertEqual(entry.cost_amount_actual, 5.5)
        self.assertEqual(entry.invoiced_quantity, 0.0)
        self.assertEqual(
            entry.ledger_entry_quantity, 0.0, "the quantity stands on the first only"
        )
        entry = self.state(125.5, invoiced_quantity=4.0)
        self.assertEqual(entry.cost_amount_actual, 0.0)
        self.assertEqual(entry.invoiced_quantity, -2.0)

    def test_expected_and_actual_are_compared_each(self):
        self.state(0.0, cost_amount_expected=100.0)
        entry = self.state(60.0, cost_amount_expected=40.0)
        self.assertEqual(
            (entry.cost_amount_expected, entry.cost_amount_actual), (-60.0, 60.0)
        )

    def test_noise_of_floats_is_no_difference(self):
        self.state(0.3, invoiced_quantity=0.3)
        self.assertFalse(self.state(0.1 + 0.2, invoiced_quantity=0.1 + 0.2))
        self.assertFalse(self.state(0.3004, invoiced_quantity=0.3))

    def test_amounts_are_recorded_rounded(self):
        entry = self.state(10.006)
        self.assertEqual(entry.cost_amount_actual, 10.01)
        self.env.cr.execute(
            "SELECT cost_amount_actual::text FROM stock_value_entry WHERE id = %s",
            [entry.id],
        )
        self.assertEqual(self.env.cr.fetchone()[0], "10.01")

    # -- Zero ----------------------------------------------------------------------

    def test_a_first_statement_of_nothing_still_brings_the_quantity(self):
        entry = self.state(0.0, ledger_entry_quantity=10.0)
        self.assertEqual(len(entry), 1)
        self.assertEqual(entry.cost_amount_actual, 0.0)
        self.assertEqual(entry.ledger_entry_quantity, 10.0)
        self.assertFalse(self.state(0.0, ledger_entry_quantity=10.0))

    def test_a_first_statement_of_nothing_at_all_is_not_recorded(self):
        self.assertFalse(self.state(0.0))

    def test_goods_received_for_nothing_count_in_stock(self):
        receipt = self.receive(self.buy(self.average, 10, 0.0))
        entry = self.entries(receipt)
        self.assertEqual(entry.ledger_entry_quantity, 10.0)
        self.assertEqual(self.cost(receipt), (0.0, 0.0))

    # -- Withdrawal ----------------------------------------------------------------

    def test_withdrawing_states_zero(self):
        self.state(120.0, invoiced_quantity=10.0, counter_account=7)
        entry = self.withdraw()
        self.assertEqual(entry.cost_amount_actual, -120.0)
        self.assertEqual(entry.invoiced_quantity, -10.0)
        self.assertEqual(entry.counter_account, 7, "it goes back where it came from")
        self.assertEqual(self.total(), (0.0, 0.0, 0.0))

    def test_withdrawing_twice_or_what_was_never_stated_appends_nothing(self):
        self.assertFalse(self.withdraw())
        self.state(120.0)
        self.assertTrue(self.withdraw())
        self.assertFalse(self.withdraw())

    def test_withdrawing_reaches_all_keys_of_the_source_and_entry(self):
        statement = {
            "source_id": 1,
            "ledger_entry_id": self.first.id,
            "posting_date": "2026-01-05",
        }
        keys = [
            ("direct_cost", None),
            ("indirect_cost", None),
            ("variance", "purchase"),
        ]
        self.ValueEntry._state(
            SOURCE,
            [
                {
                    **statement,
                    "entry_type": entry_type,
                    "variance_type": variance_type,
                    "cost_amount_actual": amount,
                }
                for amount, (entry_type, variance_type) in enumerate(keys, start=1)
            ],
        )
        self.state(50.0, entry=self.second)
        self.state(30.0, source=2)
        entries = self.withdraw()
        self.assertEqual(
            {(entry.entry_type, entry.variance_type or None) for entry in entries},
            set(keys),
        )
        self.assertEqual(set(entries.ledger_entry_id), {self.first})
        self.assertEqual(self.total(source_id=1), (0.0, 0.0, 0.0))
        self.assertEqual(self.total(source_id=2), (0.0, 30.0, 0.0))
        self.assertEqual(self.total(entry=self.second), (0.0, 50.0, 0.0))

    def test_a_key_that_is_not_stated_any_more_is_withdrawn(self):
        statement = {
            "source_id": 1,
            "ledger_entry_id": self.first.id,
            "posting_date": "2026-01-05",
        }
        direct = {**statement, "entry_type": "direct_cost", "cost_amount_actual": 100.0}
        variance = {
            **statement,
            "entry_type": "variance",
            "variance_type": "purchase",
            "cost_amount_actual": -20.0,
        }
        self.assertEqual(len(self.ValueEntry._state(SOURCE, [direct, variance])), 2)
        entry = self.ValueEntry._state(SOURCE, [direct])
        self.assertEqual(entry.entry_type, "variance")
        self.assertEqual(entry.variance_type, "purchase")
        self.assertEqual(entry.cost_amount_actual, 20.0)
        self.assertEqual(self.total(), (0.0, 100.0, 0.0))

    def test_stated_again_after_withdrawal(self):
        self.state(120.0, ledger_entry_quantity=10.0)
        self.withdraw()
        entry = self.state(130.0, ledger_entry_quantity=10.0)
        self.assertEqual(entry.cost_amount_actual, 130.0)
        self.assertEqual(entry.ledger_entry_quantity, 0.0)
        self.assertEqual(self.total(), (0.0, 130.0, 0.0))

    def test_what_is_withdrawn_from_a_closed_period_gets_an_open_date(self):
        self.state(120.0)
        self.env["inventory.period"].create(
            {"company_id": self.company.id, "ending_date": "2026-01-31"}
        ).closed = True
        entry = self.withdraw()
        self.assertEqual(str(entry.posting_date), "2026-02-01")

    # -- Keys ----------------------------------------------------------------------

    def test_keys_are_kept_apart(self):
        keys = [
            {"source": 1},
            {"source": 2},
            {"source": 1, "entry": self.second},
        ]
        for number, key in enumerate(keys, start=1):
            entry = self.state(number * 10.0, **key)
            self.assertEqual(entry.cost_amount_actual, number * 10.0)
        for number, key in enumerate(keys, start=1):
            self.assertFalse(self.state(number * 10.0, **key))

    def test_models_are_kept_apart(self):
        self.state(10.0)
        entry = self.ValueEntry._state(
            "account.move.line",
            [
                {
                    "source_id": 1,
                    "ledger_entry_id": self.first.id,
                    "entry_type": "direct_cost",
                    "cost_amount_actual": 25.0,
                    "posting_date": "2026-01-05",
                }
            ],
        )
        self.assertEqual(entry.cost_amount_actual, 25.0)
        self.assertFalse(self.state(10.0))

    def test_adjustments_are_no_statements(self):
        """The engine's adjustments carry their cause's source: a source that states
        itself again must not take them back."""
        cause = self.state(100.0)
        adjustment = self.ValueEntry._append(
            [
                {
                    "ledger_entry_id": self.first.id,
                    "entry_type": "direct_cost",
                    "cost_amount_actual": 7.0,
                    "posting_date": "2026-01-05",
                    "adjustment": True,
                    "cause_value_entry_id": cause.id,
                }
            ]
        )
        self.assertEqual((adjustment.source_model, adjustment.source_id), (SOURCE, 1))
        self.assertFalse(self.state(100.0))
        self.assertEqual(self.withdraw().cost_amount_actual, -100.0)

    def test_companies_are_kept_apart(self):
        other = self.make_company("Another Company")
        location = (
            self.env["stock.warehouse"]
            .search([("company_id", "=", other.id)], limit=1)
            .view_location_id
        )
        product = self.make_product("fifo")
        entry = self.make_ledger_entries(1, other, product, location)
        self.state(100.0)
        foreign = self.ValueEntry.with_company(other)._state(
            SOURCE,
            [
                {
                    "source_id": 1,
                    "ledger_entry_id": entry.id,
                    "entry_type": "direct_cost",
                    "cost_amount_actual": 40.0,
                    "posting_date": "2026-01-05",
                }
            ],
        )
        self.assertEqual(foreign.company_id, other)
        self.assertEqual(foreign.cost_amount_actual, 40.0)
        self.assertFalse(self.state(100.0))
        queue = self.env["stock.value.entry.queue"].sudo()
        self.assertEqual(
            queue.search([("value_entry_id", "=", foreign.id)]).company_id, other
        )

    # -- Any sequence --------------------------------------------------------------

    def test_the_ledger_equals_the_last_statement(self):
        """Whatever is stated, repeated and withdrawn in whatever order."""
        amount = st.integers(-5000, 5000).map(lambda cents: cents / 100)
        quantity = st.integers(-1000, 1000).map(lambda number: number / 100)
        key = st.tuples(
            st.sampled_from([1, 2]),
            st.sampled_from([0, 1]),
            st.sampled_from(
                [
                    ("direct_cost", None),
                    ("variance", "purchase"),
                    ("indirect_cost", None),
                ]
            ),
        )
        step = st.one_of(
            st.tuples(st.just("state"), key, amount, amount, quantity),
            st.tuples(st.just("withdraw"), key),
        )
        sources = iter(range(1000, 10**6, 10))

        @settings(
            max_examples=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(st.lists(step, max_size=8))
        def check(steps):
            base = next(sources)
            entries = self.first, self.second
            last = {}
            for what, (number, place, types), *amounts in steps:
                source, entry = base + number, entries[place]
                if what == "withdraw":
                    self.withdraw(entry, source)
                    amounts = (0.0, 0.0, 0.0)
                else:
                    for _twice in range(2):
                        appended = self.state(
                            amounts[1],
                            entry,
                            source,
                            cost_amount_expected=amounts[0],
                            invoiced_quantity=amounts[2],
                            entry_type=types[0],
                            variance_type=types[1],
                        )
                    self.assertFalse(appended)
                # A statement names all keys of its source and entry.
                last[source, entry] = amounts
            for (source, entry), amounts in last.items():
                self.assertEqual(self.total(entry, source_id=source), tuple(amounts))

        check()

    def test_many_statements_cost_three_queries(self):
        entries = self.make_ledger_entries(200)
        statements = [
            {
                "source_id": 1,
                "ledger_entry_id": entry.id,
                "entry_type": "direct_cost",
                "cost_amount_actual": 1.0,
                "posting_date": "2026-01-05",
            }
            for entry in entries
        ]
        self.ValueEntry._state(SOURCE, statements[:1])
        self.env.flush_all()
        counts = []
        for part in (statements[1:2], statements[2:]):
            before = self.env.cr.sql_log_count
            self.assertEqual(len(self.ValueEntry._state(SOURCE, part)), len(part))
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[0], counts[1], "however many the statements")
        # What is recorded, the value entries, the queue (and its settings).
        self.assertLessEqual(counts[1], 5)
