"""What the tests of documents share: a company, products, and the buttons pressed."""

from contextlib import nullcontext

from freezegun import freeze_time

from odoo import Command, fields

from odoo.addons.base.tests.common import BaseCommon

from ..posting.roles import GENERAL_POSTING_ROLES, INVENTORY_POSTING_ROLES, ROLES

BALANCE_SHEET_ROLES = {
    "inventory": "asset_current",
    "inventory_interim": "asset_current",
    "wip": "asset_current",
    "cogs_interim": "asset_current",
    "accrual_interim": "liability_current",
}


class InventoryCostCommon(BaseCommon):
    """A company with two warehouses, one managed product per costing method and a
    complete posting setup.

    The helpers press the buttons a user presses. ``date`` (a day, or a moment in UTC)
    freezes the clock meanwhile; a day means its noon.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.setup_company()
        cls.setup_posting()
        cls.setup_products()

    # -- Master data ------------------------------------------------------------------

    @classmethod
    def setup_company(cls):
        """Make the tests' company the user's only one."""
        cls.company = cls.make_company("Inventory Cost Company")
        cls.env.user.write(
            {
                "company_ids": [Command.link(cls.company.id)],
                "company_id": cls.company.id,
                "group_ids": [
                    Command.link(cls.env.ref(group).id)
                    for group in (
                        "account.group_account_manager",
                        "account.group_account_readonly",
                        "inventory_cost_gl.group_manager",
                    )
                ],
            }
        )
        cls.env = cls.env(
            context={**cls.env.context, "allowed_company_ids": cls.company.ids}
        )
        cls.company = cls.company.with_env(cls.env)
        cls.currency = cls.company.currency_id
        Warehouse = cls.env["stock.warehouse"]
        cls.warehouse = Warehouse.search([("company_id", "=", cls.company.id)], limit=1)
        cls.warehouse_2 = Warehouse.create(
            {"name": "Second Warehouse", "code": "WH2", "company_id": cls.company.id}
        )
        cls.vendor, cls.customer = cls.env["res.partner"].create(
            [{"name": "Vendor"}, {"name": "Customer"}]
        )

    @classmethod
    def make_company(cls, name):
        """Return a new company with the generic chart of accounts, in dollars."""
        company = cls.env["res.company"].create(
            {"name": name, "currency_id": cls.env.ref("base.USD").id}
        )
        cls.env["account.chart.template"].try_loading(
            "generic_coa", company=company, install_demo=False
        )
        company.inventory_cost_tz = "UTC"
        return company

    @classmethod
    def setup_posting(cls):
        """Fill the company's posting setup: one account for each role."""
        env = cls.env
        cls.inventory_group = env["inventory.posting.group"].create(
            {"code": "GOODS", "name": "Goods"}
        )
        cls.product_group = env["product.posting.group"].create(
            {"code": "GOODS", "name": "Goods"}
        )
        cls.business_group = env["business.posting.group"].create(
            {"code": "DOMESTIC", "name": "Domestic"}
        )
        accounts = env["account.account"].create(
            [
                {
                    "name": role.replace("_", " ").title(),
                    "code": f"77{number:02}00",
                    "account_type": BALANCE_SHEET_ROLES.get(
                        role, "expense_direct_cost"
                    ),
                }
                for number, role in enumerate(ROLES, start=1)
            ]
        )
        cls.accounts = dict(zip(ROLES, accounts, strict=True))
        cls.inventory_setup = env["inventory.posting.setup"].create(
            {
                "company_id": cls.company.id,
                "inventory_posting_group_id": cls.inventory_group.id,
                **cls._account_values(INVENTORY_POSTING_ROLES),
            }
        )
        cls.general_setup = env["general.posting.setup"].create(
            {
                "company_id": cls.company.id,
                "product_posting_group_id": cls.product_group.id,
                **cls._account_values(GENERAL_POSTING_ROLES),
            }
        )
        cls.company.write(
            {
                "business_posting_group_id": cls.business_group.id,
                "inventory_cost_journal_id": env["account.journal"]
                .create({"name": "Inventory Cost", "code": "INVC", "type": "general"})
                .id,
            }
        )

    @classmethod
    def _account_values(cls, roles):
        return {f"{role}_account_id": cls.accounts[role].id for role in roles}

    @classmethod
    def setup_products(cls):
        """Create a managed category and product for each costing method."""
        cls.categories, cls.products = {}, {}
        for method in ("fifo", "average", "standard", "lifo"):
            cls.categories[method] = cls.make_category(method)
            cls.products[method] = cls.make_product(method)
        cls.fifo = cls.products["fifo"]
        cls.average = cls.products["average"]
        cls.standard = cls.products["standard"]
        cls.lifo = cls.products["lifo"]

    @classmethod
    def make_category(cls, method, **values):
        """Return a new managed category with this costing method."""
        return cls.env["product.category"].create(
            {
                "name": f"Managed {method}",
                "property_cost_method": method,
                "property_valuation": "value_entries",
                "inventory_posting_group_id": cls.inventory_group.id,
                "product_posting_group_id": cls.product_group.id,
                **values,
            }
        )

    @classmethod
    def make_product(cls, method, **values):
        """Return a new storable product in the managed category of this method."""
        return cls.env["product.product"].create(
            {
                "name": f"Product {method}",
                "is_storable": True,
                "categ_id": cls.categories[method].id,
                "standard_price": 10.0,
                "list_price": 25.0,
                "taxes_id": [Command.clear()],
                "supplier_taxes_id": [Command.clear()],
                **values,
            }
        )

    def make_lot(self, product, name):
        """Return a new lot of a product tracked by lot."""
        return self.env["stock.lot"].create({"name": name, "product_id": product.id})

    # -- Documents --------------------------------------------------------------------

    @staticmethod
    def at(date):
        """Freeze the clock at a day's noon or at a moment; ``None`` leaves it."""
        if not date:
            return nullcontext()
        text = str(date)
        return freeze_time(f"{text} 12:00:00" if len(text) == 10 else text)

    def buy(self, product, quantity, price, date=None, **line_values):
        """Return a confirmed purchase order of one line.

        ``partner``, ``currency`` and ``warehouse`` go to the order, what else is
        given to its line.
        """
        order_values = {
            "partner_id": line_values.pop("partner", self.vendor).id,
            "currency_id": line_values.pop("currency", self.currency).id,
            "picking_type_id": line_values.pop(
                "warehouse", self.warehouse
            ).in_type_id.id,
        }
        with self.at(date):
            order = self.env["purchase.order"].create(
                {
                    **order_values,
                    "order_line": [
                        Command.create(
                            {
                                "product_id": product.id,
                                "product_qty": quantity,
                                "price_unit": price,
                                "tax_ids": [Command.clear()],
                                **line_values,
                            }
                        )
                    ],
                }
            )
            order.button_confirm()
        return order

    def receive(self, order, quantity=None, date=None, lots=None):
        """Validate the order's open receipts; return them."""
        return self.validate(order.picking_ids, quantity, date, lots)

    def deliver(self, order, quantity=None, date=None, lots=None):
        """Validate the order's open deliveries; return them."""
        return self.validate(order.picking_ids, quantity, date, lots)

    def validate(self, pickings, quantity=None, date=None, lots=None):
        """Validate what is open of the pickings, with a backorder for the rest.

        :param quantity: done quantity of each move; ``None``: all of the demand
        :param lots: ``{lot: quantity}`` of the moves instead
        """
        pickings = pickings.filtered(lambda p: p.state not in ("done", "cancel"))
        with self.at(date):
            for move in pickings.move_ids:
                self._fill(move, quantity, lots)
            pickings.with_context(skip_backorder=True).button_validate()
        return pickings

    @staticmethod
    def _fill(move, quantity, lots):
        """Enter what is done of a move."""
        if lots:
            move.move_line_ids.unlink()
            move.move_line_ids = [
                Command.create(
                    {
                        **move._prepare_move_line_vals(quantity=0),
                        "lot_id": lot.id,
                        "quantity": lot_quantity,
                    }
                )
                for lot, lot_quantity in lots.items()
            ]
        else:
            move.quantity = move.product_uom_qty if quantity is None else quantity
        move.picked = True

    def bill(self, order, quantity=None, price=None, date=None, post=True):
        """Return a posted vendor bill for the order; ``None`` leaves the proposal."""
        with self.at(date):
            before = order.invoice_ids
            order.action_create_invoice()
            bill = order.invoice_ids - before
            bill.invoice_date = fields.Date.today()
            for line in bill.invoice_line_ids.filtered("purchase_line_id"):
                if quantity is not None:
                    line.quantity = quantity
                if price is not None:
                    line.price_unit = price
            if post:
                bill.action_post()
        return bill

    def sell(self, product, quantity, price=25.0, date=None, **line_values):
        """Return a confirmed sales order of one line; see ``buy``."""
        order_values = {
            "partner_id": line_values.pop("partner", self.customer).id,
            "warehouse_id": line_values.pop("warehouse", self.warehouse).id,
        }
        with self.at(date):
            order = self.env["sale.order"].create(
                {
                    **order_values,
                    "order_line": [
                        Command.create(
                            {
                                "product_id": product.id,
                                "product_uom_qty": quantity,
                                "price_unit": price,
                                **line_values,
                            }
                        )
                    ],
                }
            )
            order.action_confirm()
        return order

    def invoice(self, order, quantity=None, date=None, post=True):
        """Return a posted customer invoice for the order."""
        with self.at(date):
            invoice = order._create_invoices()
            invoice.invoice_date = fields.Date.today()
            if quantity is not None:
                invoice.invoice_line_ids.filtered("sale_line_ids").quantity = quantity
            if post:
                invoice.action_post()
        return invoice

    def credit(self, invoice, date=None, cancel=False):
        """Return the posted credit note of a bill or invoice.

        :param cancel: reverse it completely instead of a plain credit note
        """
        with self.at(date):
            wizard = (
                self.env["account.move.reversal"]
                .with_context(active_model="account.move", active_ids=invoice.ids)
                .create({"journal_id": invoice.journal_id.id})
            )
            action = wizard.modify_moves() if cancel else wizard.refund_moves()
            credit_note = invoice.reversal_move_ids or self.env["account.move"].browse(
                action["res_id"]
            )
            if credit_note.state == "draft":
                credit_note.invoice_date = fields.Date.today()
                credit_note.action_post()
        return credit_note

    def give_back(self, picking, quantity=None, date=None, lots=None, location=None):
        """Return the validated return of a picking, to another location if given."""
        with self.at(date):
            wizard = (
                self.env["stock.return.picking"]
                .with_context(
                    active_id=picking.id,
                    active_ids=picking.ids,
                    active_model="stock.picking",
                )
                .create({})
            )
            for line in wizard.product_return_moves:
                line.quantity = line.move_id.quantity if quantity is None else quantity
            returned = self.env["stock.picking"].browse(
                wizard.action_create_returns()["res_id"]
            )
            if location:
                returned.location_dest_id = location
                returned.move_ids.location_dest_id = location
        return self.validate(returned, quantity, date, lots)

    def count(self, product, quantity, date=None, location=None, lot=None):
        """Apply a physical count; return the moves it made."""
        location = location or self.warehouse.lot_stock_id
        with self.at(date):
            before = self.moves(product)
            self.env["stock.quant"].with_context(inventory_mode=True).create(
                {
                    "product_id": product.id,
                    "location_id": location.id,
                    "lot_id": lot.id if lot else False,
                    "inventory_quantity": quantity,
                }
            ).action_apply_inventory()
        return self.moves(product) - before

    def scrap(self, product, quantity, date=None, location=None, lot=None):
        """Scrap goods; return the move."""
        location = location or self.warehouse.lot_stock_id
        with self.at(date):
            scrap = self.env["stock.scrap"].create(
                {
                    "product_id": product.id,
                    "scrap_qty": quantity,
                    "location_id": location.id,
                    "lot_id": lot.id if lot else False,
                }
            )
            scrap.action_validate()
        return scrap.move_ids

    def transfer(self, product, quantity, date=None, source=None, destination=None):
        """Move goods between two locations; return the picking.

        Without locations from the first warehouse's stock to the second's.
        """
        source = source or self.warehouse.lot_stock_id
        destination = destination or self.warehouse_2.lot_stock_id
        with self.at(date):
            picking = self.env["stock.picking"].create(
                {
                    "picking_type_id": self.warehouse.int_type_id.id,
                    "location_id": source.id,
                    "location_dest_id": destination.id,
                    "move_ids": [
                        Command.create(
                            {
                                "product_id": product.id,
                                "product_uom_qty": quantity,
                                "location_id": source.id,
                                "location_dest_id": destination.id,
                            }
                        )
                    ],
                }
            )
            picking.action_confirm()
        return self.validate(picking, quantity, date)

    # -- What came of it --------------------------------------------------------------

    def moves(self, product):
        """Return the product's done moves in the company."""
        return self.env["stock.move"].search(
            [
                ("product_id", "=", product.id),
                ("company_id", "=", self.company.id),
                ("state", "=", "done"),
            ],
            order="id",
        )

    def ledger_entries(self, records):
        """Return the ledger entries of moves or pickings, oldest first."""
        moves = records if records._name == "stock.move" else records.move_ids
        return self.env["stock.ledger.entry"].search(
            [("stock_move_id", "in", moves.ids)], order="id"
        )

    def entries(self, records):
        """Return the value entries of moves or pickings, oldest first."""
        return self.env["stock.value.entry"].search(
            [("ledger_entry_id", "in", self.ledger_entries(records).ids)], order="id"
        )

    def cost(self, records):
        """Return what the ledger says moves or pickings cost: (expected, actual)."""
        entries = self.entries(records)
        return (
            self.currency.round(sum(entries.mapped("cost_amount_expected"))),
            self.currency.round(sum(entries.mapped("cost_amount_actual"))),
        )

    def gl(self, role):
        """Return the posted balance of a role's account: debit is positive."""
        [balance] = self.env["account.move.line"]._read_group(
            [
                ("account_id", "=", self.accounts[role].id),
                ("parent_state", "=", "posted"),
                ("company_id", "=", self.company.id),
            ],
            [],
            ["balance:sum"],
        )[0]
        return self.currency.round(balance or 0.0)
