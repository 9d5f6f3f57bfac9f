from unittest import SkipTest

from odoo import Command
from odoo.tests import tagged

from .test_analytic import AnalyticCommon


@tagged("post_install", "-at_install")
class TestAnalyticProject(AnalyticCommon):
    """The project of a picking, whose cost Odoo's Project Stock Account tracks.

    ``make test`` installs that module; the addon itself does not need it.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "project_id" not in cls.env["stock.picking"]._fields:
            raise SkipTest("needs the module project_stock_account")
        cls.project = cls.env["project.project"].create(
            {
                "name": "Playground",
                "company_id": cls.company.id,
                cls.plan._column_name(): cls.north.id,
            }
        )
        cls.warehouse.out_type_id.analytic_costs = True

    def take_for_project(self, quantity):
        """Deliver goods to the project, without an order."""
        places = {
            "location_id": self.warehouse.lot_stock_id.id,
            "location_dest_id": self.env.ref("stock.stock_location_customers").id,
        }
        goods = {"product_id": self.fifo.id, "product_uom_qty": quantity}
        picking = self.env["stock.picking"].create(
            {
                "picking_type_id": self.warehouse.out_type_id.id,
                "project_id": self.project.id,
                "move_ids": [Command.create(goods | places)],
                **places,
            }
        )
        picking.action_confirm()
        picking.move_ids.write({"quantity": quantity, "picked": True})
        picking.button_validate()
        self.assertEqual(picking.state, "done")
        return picking

    def test_goods_taken_for_a_project(self):
        self.receive(self.buy(self.fifo, 10, 7.0))
        picking = self.take_for_project(2)
        self.assertEqual(self.distributions(picking), [self.to_north])
        self.assertFalse(picking.move_ids.analytic_account_line_ids)
        self.post()
        self.assertEqual(self.amounts(self.north), [-14.0], "once, by the journal item")

    def test_an_order_without_any_takes_that_of_the_project(self):
        self.receive(self.buy(self.fifo, 10, 7.0))
        sale = self.sell(self.fifo, 4)
        sale.picking_ids.project_id = self.project
        delivery = self.deliver(sale)
        self.assertEqual(self.distributions(delivery), [self.to_north])
        self.invoice(sale)
        self.post()
        self.assertEqual(self.total(self.north), -28.0)

    def test_the_orders_own_comes_first(self):
        self.receive(self.buy(self.fifo, 10, 7.0))
        sale = self.sell(self.fifo, 4, analytic_distribution=self.to_south)
        sale.picking_ids.project_id = self.project
        self.assertEqual(self.distributions(self.deliver(sale)), [self.to_south])

    def test_operation_types_that_track_no_cost(self):
        self.warehouse.out_type_id.analytic_costs = False
        self.receive(self.buy(self.fifo, 10, 7.0))
        self.assertEqual(self.distributions(self.take_for_project(2)), [False])

    def test_a_late_bill_reaches_the_project(self):
        order = self.buy(self.fifo, 10, 7.0)
        self.receive(order)
        self.take_for_project(2)
        self.bill(order, price=9.0)
        self.post()
        self.assertEqual(self.total(self.north), -18.0)
