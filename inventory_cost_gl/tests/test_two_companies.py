from odoo.tests import new_test_user, tagged

from .common import InventoryCostCommon


@tagged("post_install", "-at_install")
class TestTwoCompanies(InventoryCostCommon):
    """People of one company work on products that others manage too."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.make_company("Other Company")
        cls.categories["fifo"].with_company(cls.other).write(
            {
                "property_cost_method": "fifo",
                "property_valuation": "value_entries",
            }
        )
        cls.worker = new_test_user(
            cls.env,
            "product manager of one company",
            groups="stock.group_stock_manager,product.group_product_manager",
            company_id=cls.company.id,
        )

    def items(self, product):
        return self.env["stock.cost.item"].search([("product_id", "=", product.id)])

    def test_product_of_a_user_of_one_company(self):
        products = self.env["product.product"].with_user(self.worker)
        product = products.create(
            {
                "name": "New",
                "is_storable": True,
                "categ_id": self.categories["fifo"].id,
                "standard_price": 3.0,
            }
        )
        self.assertEqual(self.items(product).company_id, self.company | self.other)

    def test_category_of_a_product_changed_by_a_user_of_one_company(self):
        product = self.make_product("average")
        product.with_user(self.worker).categ_id = self.categories["fifo"]
        self.assertEqual(self.items(product).company_id, self.company | self.other)
