from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import InventoryCostCommon


@tagged("post_install", "-at_install")
class TestWhyThisCost(InventoryCostCommon):
    """The tree behind a cost: amounts add up at every level."""

    # -- Reading the tree -------------------------------------------------------------

    def explain(self, record):
        """Press the button; return the first line of the tree, wholly unfolded."""
        action = record.action_explain_cost()
        self.assertEqual(action["res_model"], "inventory.cost.explanation")
        lines = self.env["inventory.cost.explanation"].search(action["domain"])
        root = lines[0]
        self.unfold(root)
        self.check_sums(root)
        return root

    def unfold(self, root):
        """Unfold every line that can be, as users do one by one."""
        for _level in range(20):
            folded = self.lines(root).filtered(
                lambda line: line.unfoldable and not line.unfolded
            )
            if not folded:
                return
            for line in folded:
                line.action_unfold()
        self.fail("The tree has no end.")

    def lines(self, root):
        """Return all lines of a tree, in order."""
        return self.env["inventory.cost.explanation"].search(
            [("root_id", "=", root.id)]
        )

    def behind(self, line):
        """Return the lines right behind a line."""
        depth = line.path.count(".") + 1
        return self.lines(line.root_id).filtered(
            lambda other: other.path.startswith(line.path)
            and other.path.count(".") == depth
        )

    def check_sums(self, root):
        """Check that each unfolded line is the sum of those behind it, to the cent."""
        for line in self.lines(root).filtered("unfolded"):
            total = sum(self.behind(line).mapped("amount"))
            self.assertFalse(
                self.currency.compare_amounts(total, line.amount),
                f"{line.name}: {line.amount} is not {total}",
            )

    def tree(self, root):
        """Return ``[(depth, kind, document, quantity, amount)]`` of a tree."""
        return [
            (
                line.path.count(".") - 1,
                line.kind,
                line.document or "",
                line.quantity,
                line.amount,
            )
            for line in self.lines(root)
        ]

    # -- Layers -----------------------------------------------------------------------

    def test_layers_bills_and_what_is_not_billed(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        bill = self.bill(order, 6, 12.0, date="2026-01-06")
        sale = self.sell(self.fifo, 4, date="2026-01-07")
        self.deliver(sale, date="2026-01-07")
        root = self.explain(self.fifo)
        self.assertEqual(
            self.tree(root),
            [
                (0, "item", "", 6.0, 67.2),
                (1, "layer", receipt.name, 6.0, 67.2),
                (2, "source", receipt.name, 6.0, 24.0),
                (3, "value", receipt.name, 6.0, 60.0),
                (3, "value", bill.name, 6.0, -36.0),
                (2, "source", bill.name, 6.0, 43.2),
            ],
        )
        self.assertEqual(root.unit_cost, 11.2)
        field = root.fields_get(["unit_cost"])["unit_cost"]
        self.assertEqual(field["min_display_digits"], 2, "11.20, not 11.2")
        self.assertIn("First In First Out (FIFO)", root.name)

    def test_cents_add_up(self):
        """Three for 10.01: two are sold at 3.34 and 3.33."""
        order = self.buy(self.fifo, 3, 3.3367, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        self.bill(order, 1, 3.34, date="2026-01-06")
        for _sale in range(2):
            sale = self.sell(self.fifo, 1, date="2026-01-07")
            self.deliver(sale, date="2026-01-07")
        root = self.explain(self.fifo)
        item = self.env["stock.cost.item"].search([("product_id", "=", self.fifo.id)])
        self.assertEqual(root.amount, item.value)

    def test_last_in_first_out(self):
        for price, day in ((10.0, 5), (20.0, 6)):
            order = self.buy(self.lifo, 5, price, date=f"2026-01-{day:02}")
            self.receive(order, date=f"2026-01-{day:02}")
        sale = self.sell(self.lifo, 7, date="2026-01-07")
        self.deliver(sale, date="2026-01-07")
        root = self.explain(self.lifo)
        self.assertEqual(self.behind(root).mapped("amount"), [30.0])

    def test_lots(self):
        product = self.make_product("fifo", tracking="lot", lot_valuated=True)
        lots = [self.make_lot(product, name) for name in ("L1", "L2")]
        for lot, price in zip(lots, (10.0, 20.0), strict=True):
            order = self.buy(product, 5, price, date="2026-01-05")
            self.receive(order, date="2026-01-05", lots={lot: 5})
        root = self.explain(product)
        layers = self.behind(root)
        self.assertEqual(layers.mapped("amount"), [50.0, 100.0])
        self.assertIn("L2", layers[1].name)

    def test_a_transfer_leads_to_the_layer_it_carried(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        transfer = self.transfer(self.fifo, 4, date="2026-01-06")
        bill = self.bill(order, price=12.0, date="2026-01-20")
        root = self.explain(self.fifo)
        self.assertIn((1, "layer", transfer.name, 4.0, 48.0), self.tree(root))
        self.assertIn((2, "layer", receipt.name, 4.0, 48.0), self.tree(root))
        self.assertIn((3, "source", bill.name, 4.0, 48.0), self.tree(root))

    def test_a_customer_return_leads_to_what_was_delivered(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        sale = self.sell(self.fifo, 10, date="2026-01-06")
        delivery = self.deliver(sale, date="2026-01-06")
        back = self.give_back(delivery, 4, date="2026-01-07")
        bill = self.bill(order, price=11.0, date="2026-01-08")
        root = self.explain(self.fifo)
        self.assertEqual(
            self.tree(root)[:5],
            [
                (0, "item", "", 4.0, 44.0),
                (1, "layer", back.name, 4.0, 44.0),
                (2, "decrease", delivery.name, 4.0, 44.0),
                (3, "layer", receipt.name, 4.0, 44.0),
                (4, "source", bill.name, 4.0, 44.0),
            ],
        )

    def test_a_revaluation_of_what_was_left(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        self.bill(order, date="2026-01-05")
        sale = self.sell(self.fifo, 6, date="2026-01-06")
        self.deliver(sale, date="2026-01-06")
        self.fifo.standard_price = 15.0
        sale = self.sell(self.fifo, 1, date="2026-12-07")
        self.deliver(sale, date="2026-12-07")
        root = self.explain(self.fifo)
        self.assertEqual(root.amount, 45.0)
        amounts = self.behind(self.behind(root)).mapped("amount")
        self.assertEqual(amounts, [30.0, 15.0])

    def test_gone_before_it_came_in(self):
        sale = self.sell(self.fifo, 5, date="2026-01-03")
        delivery = self.deliver(sale, date="2026-01-03")
        root = self.explain(self.fifo)
        self.assertEqual(
            self.tree(root),
            [
                (0, "item", "", -5.0, -50.0),
                (1, "rest", delivery.name, -5.0, -50.0),
            ],
        )
        order = self.buy(self.fifo, 5, 12.0, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        root = self.explain(self.fifo)
        self.assertEqual(self.tree(root), [(0, "item", "", 0.0, 0.0)])
        self.assertIn("nothing in stock", root.name)

    def test_cost_that_waits_for_adjustment_is_named(self):
        self.company.automatic_cost_adjustment = "never"
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        sale = self.sell(self.fifo, 5, date="2026-01-06")
        self.deliver(sale, date="2026-01-06")
        self.bill(order, price=12.0, date="2026-01-07")
        root = self.explain(self.fifo)
        self.assertEqual(
            [(line.kind, line.amount) for line in self.behind(root)],
            [("layer", 60.0), ("rest", 10.0)],
        )
        self.assertIn("waits for adjustment", self.behind(root)[1].name)

    # -- Standard cost ----------------------------------------------------------------

    def test_standard_cost_with_its_variances(self):
        with self.at("2026-01-02"):
            self.standard.standard_price = 11.0
        order = self.buy(self.standard, 10, 11.5, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        bill = self.bill(order, price=12.0, date="2026-01-06")
        root = self.explain(self.standard)
        self.assertIn("standard cost", root.name)
        self.assertEqual(root.amount, 110.0)
        sources = self.behind(self.behind(root))
        self.assertEqual(sources.mapped("amount"), [120.0, -10.0])
        self.assertEqual(set(sources.mapped("document")), {bill.name})
        self.assertIn("Purchase variance", sources[1].name)

    # -- Average cost -----------------------------------------------------------------

    def test_the_average_of_the_last_receipt(self):
        first = self.buy(self.average, 10, 10.0, date="2026-01-05")
        self.receive(first, date="2026-01-05")
        second = self.buy(self.average, 10, 20.0, date="2026-01-10")
        late = self.receive(second, date="2026-01-10")
        sale = self.sell(self.average, 5, date="2026-01-12")
        delivery = self.deliver(sale, date="2026-01-12")
        root = self.explain(self.average)
        self.assertEqual(
            [line for line in self.tree(root) if line[0] < 2],
            [
                (0, "item", "", 15.0, 225.0),
                (1, "opening", "", 10.0, 100.0),
                (1, "layer", late.name, 10.0, 200.0),
                (1, "decreases", "", -5.0, -75.0),
            ],
        )
        self.assertIn((2, "decrease", delivery.name, -5.0, -75.0), self.tree(root))

    def test_the_average_of_a_month(self):
        self.company.average_cost_period = "month"
        first = self.buy(self.average, 10, 10.0, date="2026-01-05")
        self.receive(first, date="2026-01-05")
        sale = self.sell(self.average, 4, date="2026-01-06")
        self.deliver(sale, date="2026-01-06")
        second = self.buy(self.average, 10, 20.0, date="2026-02-10")
        self.receive(second, date="2026-02-10")
        sale = self.sell(self.average, 4, date="2026-02-12")
        self.deliver(sale, date="2026-02-12")
        root = self.explain(self.average)
        self.assertEqual(
            [(line.kind, line.quantity, line.amount) for line in self.behind(root)],
            [
                ("opening", 6.0, 60.0),
                ("layer", 10.0, 200.0),
                ("decreases", -4.0, -65.0),
            ],
        )

    def test_an_average_per_location(self):
        self.company.average_cost_calc_type = "item_location"
        order = self.buy(self.average, 10, 10.0, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        order = self.buy(
            self.average, 5, 20.0, date="2026-01-05", warehouse=self.warehouse_2
        )
        self.receive(order, date="2026-01-05")
        self.transfer(self.average, 2, date="2026-01-06")
        root = self.explain(self.average)
        self.assertEqual(
            [(line.kind, line.quantity, line.amount) for line in self.behind(root)],
            [("pool", 8.0, 80.0), ("pool", 7.0, 120.0)],
        )
        averages = self.lines(root).filtered(lambda line: line.kind == "average")
        # What left the one warehouse came to the other.
        self.assertEqual(averages.mapped("amount"), [-20.0, 20.0])

    def test_a_return_at_average_cost(self):
        for price, day in ((10.0, 5), (20.0, 6)):
            order = self.buy(self.average, 10, price, date=f"2026-01-{day:02}")
            self.receive(order, date=f"2026-01-{day:02}")
        sale = self.sell(self.average, 20, date="2026-01-07")
        delivery = self.deliver(sale, date="2026-01-07")
        back = self.give_back(delivery, 4, date="2026-01-08")
        root = self.explain(self.ledger_entries(back))
        self.assertEqual(
            [line[:2] + line[3:] for line in self.tree(root) if line[0] < 5],
            [
                (0, "layer", 4.0, 60.0),
                (1, "decrease", 4.0, 60.0),
                (2, "average", 4.0, 60.0),
                (3, "opening", 4.0, 60.0),
                (4, "opening", 2.0, 20.0),
                (4, "layer", 2.0, 40.0),
            ],
        )

    # -- Where it opens ---------------------------------------------------------------

    def test_a_delivery_explains_itself(self):
        receipts = []
        for price in (10.0, 20.0):
            order = self.buy(self.fifo, 5, price, date="2026-01-05")
            receipts.append(self.receive(order, date="2026-01-05"))
        sale = self.sell(self.fifo, 8, date="2026-01-06")
        delivery = self.deliver(sale, date="2026-01-06")
        for record in (self.ledger_entries(delivery), self.entries(delivery)):
            root = self.explain(record)
            self.assertEqual((root.quantity, root.amount), (8.0, 110.0))
            self.assertEqual(self.behind(root).mapped("amount"), [50.0, 60.0])
            self.assertEqual(
                self.behind(root).mapped("document"), [p.name for p in receipts]
            )

    def test_from_the_product_template_and_the_unit_cost(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        item = self.env["stock.cost.item"].search([("product_id", "=", self.fifo.id)])
        for record in (self.fifo.product_tmpl_id, item):
            self.assertEqual(self.explain(record).amount, 100.0)

    def test_a_product_that_never_moved(self):
        root = self.explain(self.fifo)
        self.assertEqual(self.tree(root), [(0, "item", "", 0.0, 0.0)])
        self.assertIn("the last unit cost is $\xa010.00", root.name)

    def test_a_product_that_is_not_managed(self):
        product = self.env["product.product"].create({"name": "Odoo's own"})
        with self.assertRaisesRegex(UserError, "no cost of its own yet"):
            product.action_explain_cost()

    def test_lines_open_their_documents(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        bill = self.bill(order, 6, 12.0, date="2026-01-06")
        lines = self.lines(self.explain(self.fifo))
        opened = [
            (line.kind, action.get("res_model"), action.get("res_id"))
            for line in lines[1:]
            for action in [line.action_open_document()]
        ]
        self.assertEqual(
            opened,
            [
                ("layer", "stock.picking", receipt.id),
                ("source", "stock.picking", receipt.id),
                ("value", "stock.picking", receipt.id),
                ("value", "account.move", bill.id),
                ("source", "account.move", bill.id),
            ],
        )
        layer, source = lines[1], lines[2]
        self.assertEqual(
            layer.action_open_entries()["res_id"], self.ledger_entries(receipt).id
        )
        found = self.env["stock.value.entry"].search(
            source.action_open_entries()["domain"]
        )
        self.assertEqual(found, self.entries(receipt))

    def test_folding_hides_what_is_below(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        root = self.explain(self.fifo)
        count = len(self.lines(root))
        root.action_unfold()
        self.assertEqual(self.lines(root), root)
        root.action_unfold()
        self.unfold(root)
        self.assertEqual(len(self.lines(root)), count)

    # -- Sizes, access ----------------------------------------------------------------

    def test_many_layers_cost_no_more_queries_than_one(self):
        order = self.buy(self.fifo, 30, 10.0, date="2026-01-05")
        for _receipt in range(2):
            self.receive(order, 1, date="2026-01-05")
        self.count_queries()
        few = self.count_queries()
        for _receipt in range(20):
            self.receive(order, 1, date="2026-01-06")
        self.assertLessEqual(self.count_queries(), few)

    def count_queries(self):
        """Return the number of queries of one click on the button."""
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        self.fifo.action_explain_cost()
        self.env.flush_all()
        return self.env.cr.sql_log_count - before

    def test_users_read_the_tree_of_their_companies_only(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        reader = new_test_user(
            self.env,
            "cost reader",
            groups="inventory_cost_gl.group_user",
            company_id=self.company.id,
        )
        other = self.make_company("Other Company")
        stranger = new_test_user(
            self.env,
            "stranger",
            groups="inventory_cost_gl.group_user",
            company_id=other.id,
        )
        entry = self.ledger_entries(receipt)
        item = self.env["stock.cost.item"].search([("product_id", "=", self.fifo.id)])
        action = item.with_user(reader).action_explain_cost()
        Explanation = self.env["inventory.cost.explanation"]
        lines = Explanation.with_user(reader).search(action["domain"])
        self.assertEqual(lines.mapped("amount"), [100.0, 100.0])
        lines[1].action_unfold()
        colleague = reader.copy({"login": "colleague"})
        for user in (stranger, colleague):
            seen = Explanation.with_user(user).with_context(
                allowed_company_ids=user.company_ids.ids
            )
            self.assertFalse(seen.search(action["domain"]))
            with self.assertRaises(AccessError):
                seen.browse(lines[1].id).action_unfold()
        for record in (item, entry):
            with self.assertRaises(AccessError):
                record.with_user(stranger).with_context(
                    allowed_company_ids=other.ids
                ).action_explain_cost()
        with self.assertRaises(AccessError):
            lines[0].amount = 5.0
        worker = new_test_user(self.env, "worker", groups="stock.group_stock_user")
        with self.assertRaises(AccessError):
            item.with_user(worker).action_explain_cost()
