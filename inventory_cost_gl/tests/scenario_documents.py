"""Plays scenarios (scenarios/FORMAT.md) through Odoo's own documents."""

from contextlib import contextmanager, suppress
from datetime import date, timedelta
from decimal import Decimal

from odoo import Command
from odoo.exceptions import UserError

from .common import InventoryCostCommon
from .costing.scenario_player import CostRow, Differs, ScenarioPlayer

METHODS = ("fifo", "lifo", "average", "standard")


class RolledBack(Exception):
    """Ends the savepoint a scenario is played in."""


class ScenarioDocumentsCase(InventoryCostCommon):
    """The company scenarios are played in: prices and quantities with 5 decimals."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        precisions = cls.env["decimal.precision"].search(
            [("name", "in", ("Product Price", "Product Unit"))]
        )
        precisions.digits = 5
        cls.freight = cls.env["product.product"].create(
            {"name": "Freight", "type": "service", "supplier_taxes_id": False}
        )
        if "landed_cost_ok" in cls.freight:
            cls.freight.landed_cost_ok = True

    def play(self, scenario):
        """Play a scenario and take everything back; raises :class:`Differs`."""
        with self.everything_taken_back():
            documents = None
            try:
                documents = ScenarioDocuments(self, scenario)
                documents.run()
            except Differs:
                raise
            except Exception as error:
                place = documents.label if documents else "before the first step"
                name = type(error).__name__
                raise Differs(f"{place}: {name}: {error}") from error

    @contextmanager
    def everything_taken_back(self):
        """Roll back whatever the body does."""
        try:
            with suppress(RolledBack), self.env.cr.savepoint():
                yield
                raise RolledBack
        finally:
            self.env.invalidate_all()
            self.registry.clear_cache()

    # -- documents the other tests have no use for ------------------------------------

    def move_goods(self, product, quantity, source, destination, date, **values):
        """Return a done picking without an order between two locations.

        ``picking_type``, ``partner`` and ``lots`` are the picking's, what else is given
        (``price_unit``, ``applies_to_entry_id``) is its move's.
        """
        picking_type = values.pop("picking_type")
        partner = values.pop("partner", None)
        lots = values.pop("lots", None)
        with self.at(date):
            picking = self.env["stock.picking"].create(
                {
                    "picking_type_id": picking_type.id,
                    "partner_id": partner.id if partner else False,
                    "location_id": source.id,
                    "location_dest_id": destination.id,
                    "move_ids": [
                        Command.create(
                            {
                                "product_id": product.id,
                                "product_uom_qty": quantity,
                                "location_id": source.id,
                                "location_dest_id": destination.id,
                                **values,
                            }
                        )
                    ],
                }
            )
            picking.action_confirm()
        return self.validate(picking, quantity, date, lots)

    def adjust_quantity(self, product, quantity, warehouse, date, lots=None, **values):
        """Return a done inventory move: a gain, or a loss if negative."""
        stock, lost = warehouse.lot_stock_id, product.property_stock_inventory
        source, destination = (lost, stock) if quantity > 0 else (stock, lost)
        with self.at(date):
            move = self.env["stock.move"].create(
                {
                    "product_id": product.id,
                    "product_uom_qty": abs(quantity),
                    "location_id": source.id,
                    "location_dest_id": destination.id,
                    "company_id": self.company.id,
                    "is_inventory": True,
                    **values,
                }
            )
            move._action_confirm()
            self._fill(move, None, lots)
            move._action_done()
        return move

    def landed_cost(self, picking, amount, date):
        """Return a validated landed cost on a receipt."""
        with self.at(date):
            cost = self.env["stock.landed.cost"].create(
                {
                    "date": date,
                    "picking_ids": [Command.set(picking.ids)],
                    "account_journal_id": self.company.inventory_cost_journal_id.id,
                    "cost_lines": [
                        Command.create(
                            {
                                "product_id": self.freight.id,
                                "price_unit": amount,
                                "split_method": "by_quantity",
                                "account_id": self.accounts["direct_cost_applied"].id,
                            }
                        )
                    ],
                }
            )
            cost.compute_landed_cost()
            cost.button_validate()
        return cost


class ScenarioDocuments(ScenarioPlayer):
    """One scenario: its products, warehouses and documents.

    ``case`` is the :class:`ScenarioDocumentsCase` whose company and helpers it uses.
    """

    refusals = (UserError,)

    def __init__(self, case, scenario):
        super().__init__(scenario)
        self.case = case
        self.env = case.env
        self.company = case.company
        self.day = None
        # what a ref stands for: a stock move, and of a transfer one of its sides
        self.moves, self.sides = {}, {}
        self.orders, self.lots = {}, {}
        self._settle(scenario["settings"])
        self.warehouses = {}
        for name in scenario.get("locations") or ["MAIN"]:
            self._warehouse(name)
        self.products = {
            name: self._product(name, values)
            for name, values in scenario["items"].items()
        }

    # -- master data ------------------------------------------------------------------

    def _settle(self, settings):
        posting = "immediate" if settings["automatic_cost_posting"] else "off"
        self.company.write(
            {
                "average_cost_period": settings["average_cost_period"],
                "average_cost_calc_type": settings["average_cost_calc_type"],
                "expected_cost_posting": settings["expected_cost_posting"],
                "automatic_cost_posting": posting,
                "automatic_cost_adjustment": settings["automatic_cost_adjustment"],
            }
        )
        unit = float(settings.get("currency_rounding", 0.01))
        if self.company.currency_id.rounding != unit:
            self.company.currency_id.rounding = unit
        if settings.get("earliest_posting_date"):
            earliest = date.fromisoformat(settings["earliest_posting_date"])
            self.company.fiscalyear_lock_date = earliest - timedelta(days=1)

    def _warehouse(self, name):
        if name not in self.warehouses:
            known = (self.case.warehouse, self.case.warehouse_2)
            self.warehouses[name] = (
                known[len(self.warehouses)]
                if len(self.warehouses) < len(known)
                else self.env["stock.warehouse"].create(
                    {"name": name, "code": name[:5], "company_id": self.company.id}
                )
            )
        return self.warehouses[name]

    def _product(self, name, values):
        method = values["costing_method"]
        steps = [step for step in self.scenario["steps"] if step.get("item") == name]
        tracked = method == "specific" or any(step.get("lot") for step in steps)
        field = "standard_cost" if method == "standard" else "unit_cost"
        return self.case.make_product(
            method if method in METHODS else "fifo",
            name=name,
            invoice_policy="delivery",
            tracking="lot" if tracked else "none",
            lot_valuated=method == "specific",
            standard_price=float(values.get(field, 0)),
            indirect_cost_pct=float(values.get("indirect_cost_pct", 0)),
            overhead_rate=float(values.get("overhead_rate", 0)),
        )

    # -- reading steps ----------------------------------------------------------------

    def start_day(self, day):
        """The day the next step happens on."""
        self.day = day

    def finish_step(self):
        """What a commit does before it commits: immediate posting runs there."""
        with self.case.at(self.day):
            self.env.cr.flush()

    def undo(self):
        """A savepoint, as the function that rolls back to it."""
        savepoint = self.env.cr.savepoint()
        refs = dict(self.moves), dict(self.sides)

        def restore():
            savepoint.close(rollback=True)
            self.env.invalidate_all()
            self.moves, self.sides = refs

        return restore

    def _where(self, step):
        name = step.get("location")
        return self._warehouse(name) if name else next(iter(self.warehouses.values()))

    def _item(self, step):
        return self.products[step["item"]]

    def _lots(self, step):
        """``{lot: quantity}`` of a step, ``None`` if it names no lot."""
        if not step.get("lot"):
            return None
        key = step["item"], step["lot"]
        if key not in self.lots:
            self.lots[key] = self.case.make_lot(self._item(step), step["lot"])
        return {self.lots[key]: float(step["qty"])}

    def _keep(self, step, documents):
        """A step's ref stands for the move of its picking (or for its move)."""
        moves = documents if documents._name == "stock.move" else documents.move_ids
        [move] = moves.filtered(lambda move: move.state == "done")
        self.moves[step["ref"]] = move

    def _entries(self, ref):
        """The ledger entries a ref stands for, in order."""
        entries = self.case.ledger_entries(self.moves[ref])
        side = self.sides.get(ref)
        return (
            entries.filtered(lambda e: e.cost_location_id == side)
            if side
            else (entries)
        )

    def _fixed_to(self, step):
        """The move values of a decrease that is applied to a certain increase."""
        if not step.get("applies_to"):
            return {}
        entries = self._entries(step["applies_to"])
        [entry] = (
            entries.filtered(
                lambda entry: entry.remaining_quantity >= float(step["qty"])
            )[:1]
            or entries[:1]
        )
        return {"applies_to_entry_id": entry.id}

    # -- purchases --------------------------------------------------------------------

    def do_purchase_receipt(self, step):
        """Receive a purchase order; steps that name one are receipts of its line."""
        name = step.get("order")
        order = self.orders.get(name) if name else None
        if not order:
            quantity = sum(
                one["qty"]
                for one in self.scenario["steps"]
                if one["do"] == "purchase_receipt" and name and one.get("order") == name
            )
            order = self.case.buy(
                self._item(step),
                float(quantity or step["qty"]),
                float(step["unit_cost"]),
                date=self.day,
                warehouse=self._where(step),
            )
            self.orders[name or step["ref"]] = order
        receipt = self.case.receive(
            order, float(step["qty"]), self.day, self._lots(step)
        )
        self._keep(step, receipt)

    def do_purchase_invoice(self, step):
        """Post a bill of the receipt's order."""
        order = self.moves[step["receipt"]].purchase_line_id.order_id
        quantity = step.get("qty")
        price = step.get("unit_cost")
        if "amount" in step:
            line = order.order_line
            billed = quantity or Decimal(str(line.qty_received - line.qty_invoiced))
            price = Decimal(step["amount"]) / Decimal(billed)
        bill = self.case.bill(
            order,
            None if quantity is None else float(quantity),
            None if price is None else float(price),
            self.day,
        )
        if "amount" in step and bill.amount_untaxed != float(step["amount"]):
            raise Differs(f"the bill's amount is {bill.amount_untaxed}")

    def do_purchase(self, step):
        """Receive and bill on one day."""
        self.do_purchase_receipt(step)
        self.case.bill(self.orders[step["ref"]], date=self.day)

    def do_purchase_return(self, step):
        """Give goods back to the vendor.

        What was billed through the return button, with a refund. Otherwise by a
        delivery without an order, which is never billed, applied where one is told.
        """
        quantity = float(step["qty"])
        applied = self.moves.get(step.get("applies_to"))
        line = applied.purchase_line_id if applied else None
        if line and line.qty_invoiced >= line.qty_received:
            picking = self.case.give_back(applied.picking_id, quantity, self.day)
            self.case.bill(line.order_id, date=self.day)
        else:
            warehouse = self._where(step)
            picking = self.case.move_goods(
                self._item(step),
                quantity,
                warehouse.lot_stock_id,
                self.case.vendor.property_stock_supplier,
                self.day,
                picking_type=warehouse.out_type_id,
                partner=self.case.vendor,
                lots=self._lots(step),
                **self._fixed_to(step),
            )
        self._keep(step, picking)

    # -- sales ------------------------------------------------------------------------

    def do_sale_shipment(self, step):
        """Deliver a sale order."""
        order = self.case.sell(
            self._item(step),
            float(step["qty"]),
            date=self.day,
            warehouse=self._where(step),
        )
        order.picking_ids.move_ids.write(self._fixed_to(step))
        delivery = self.case.deliver(
            order, float(step["qty"]), self.day, self._lots(step)
        )
        self._keep(step, delivery)

    def do_sale_invoice(self, step):
        """Post an invoice of the delivery's order."""
        order = self.moves[step["shipment"]].sale_line_id.order_id
        quantity = step.get("qty")
        self.case.invoice(
            order, None if quantity is None else float(quantity), self.day
        )

    def do_sale(self, step):
        """Deliver and invoice on one day."""
        self.do_sale_shipment(step)
        self.do_sale_invoice({**step, "shipment": step["ref"], "qty": None})

    def do_sale_return(self, step):
        """Take goods back: through the return button, or without an order."""
        quantity = float(step["qty"])
        if step.get("returns"):
            delivered = self.moves[step["returns"]]
            # The credit note first, so that what is not invoiced yet stays so.
            self._credit(delivered.sale_line_id, quantity)
            picking = self.case.give_back(delivered.picking_id, quantity, self.day)
        else:
            warehouse = self._where(step)
            price = step.get("unit_cost")
            picking = self.case.move_goods(
                self._item(step),
                quantity,
                self.case.customer.property_stock_customer,
                warehouse.lot_stock_id,
                self.day,
                picking_type=warehouse.in_type_id,
                partner=self.case.customer,
                lots=self._lots(step),
                **({} if price is None else {"price_unit": float(price)}),
            )
        self._keep(step, picking)

    def _credit(self, line, quantity):
        """Post a credit note for a quantity of an order line."""
        with self.case.at(self.day):
            self.env["account.move"].create(
                {
                    **line.order_id._prepare_invoice(),
                    "move_type": "out_refund",
                    "invoice_date": self.day,
                    "invoice_line_ids": [
                        Command.create(line._prepare_invoice_line(quantity=quantity))
                    ],
                }
            ).action_post()

    # -- inventory --------------------------------------------------------------------

    def do_positive_adjustment(self, step):
        """An inventory gain at a cost of its own."""
        move = self.case.adjust_quantity(
            self._item(step),
            float(step["qty"]),
            self._where(step),
            self.day,
            self._lots(step),
            price_unit=float(step["unit_cost"]),
        )
        self._keep(step, move)

    def do_negative_adjustment(self, step):
        """An inventory loss."""
        move = self.case.adjust_quantity(
            self._item(step),
            -float(step["qty"]),
            self._where(step),
            self.day,
            self._lots(step),
            **self._fixed_to(step),
        )
        self._keep(step, move)

    def do_transfer(self, step):
        """An internal transfer between two warehouses."""
        source, destination = map(self._warehouse, (step["from"], step["to"]))
        picking = self.case.move_goods(
            self._item(step),
            float(step["qty"]),
            source.lot_stock_id,
            destination.lot_stock_id,
            self.day,
            picking_type=source.int_type_id,
            lots=self._lots(step),
            **self._fixed_to(step),
        )
        departed, arrived = step["refs"]
        self.moves[departed] = self.moves[arrived] = picking.move_ids
        self.sides[departed] = source.view_location_id
        self.sides[arrived] = destination.view_location_id
        if departed in self.layered:
            self.arrived[departed] = arrived

    # -- cost -------------------------------------------------------------------------

    def do_item_charge(self, step):
        """A landed cost for each charge."""
        if "stock.landed.cost" not in self.env:
            raise Differs("landed costs are not installed")
        for charge in step["charges"]:
            picking = self.moves[charge["entry"]].picking_id
            self.case.landed_cost(picking, float(charge["amount"]), self.day)

    def do_revaluation(self, step):
        """A revaluation document: calculated, edited, approved and posted."""
        entries = self._entries(step["entry"]) if step.get("entry") else None
        product = entries.product_id if entries else self._item(step)
        place = self._where(step).view_location_id if step.get("location") else None
        average = product.with_company(self.company).cost_method == "average"
        if average and self.company.average_cost_calc_type == "item":
            place = None  # one average for all warehouses
        per = "entry" if entries else "item_location" if place else "item"
        with self.case.at(self.day):
            document = self.env["inventory.revaluation"].create(
                {
                    "date": self.day,
                    "calculate_per": per,
                    "product_ids": [Command.set(product.ids)],
                    "reason": "Scenario",
                }
            )
            document.action_calculate()
            lines = document.line_ids
            if entries:
                lines = lines.filtered(lambda line: line.ledger_entry_id in entries)
            elif place:
                lines = lines.filtered(lambda line: line.cost_location_id == place)
            (document.line_ids - lines).unlink()
            self._revalue_lines(step, lines)
            document.action_approve()
            document.action_post()

    def _revalue_lines(self, step, lines):
        for line in lines:
            if "new_unit_cost" in step:
                line.unit_cost_revalued = float(step["new_unit_cost"])
            elif "new_value" in step:
                line.value_revalued = float(step["new_value"])
            else:
                line.value_revalued = line.value_calculated + float(step["amount"])

    def do_set_standard_cost(self, step):
        """Write the product's cost."""
        with self.case.at(self.day):
            self._item(step).standard_price = float(step["standard_cost"])

    def do_adjust_cost(self, step):
        """Run the wizard Adjust Cost."""
        products = [self.products[name].id for name in step.get("items", ())]
        with self.case.at(self.day):
            wizard = self.env["inventory.cost.adjust"].create(
                {"product_ids": [Command.set(products)]}
            )
            run = self.env["inventory.cost.run"].browse(
                wizard.action_adjust().get("res_id")
            )
        if run.line_ids:
            raise Differs("; ".join(run.line_ids.mapped("reason")))

    def do_post_to_gl(self, step):
        """Run the wizard Post Inventory Cost to G/L; nothing may be skipped."""
        with self.case.at(self.day):
            wizard = self.env["inventory.cost.post"].create(
                {
                    "mode": "post" if step.get("post", True) else "preview",
                    "granularity": step.get("per", "posting_group"),
                }
            )
            run = self.env["inventory.cost.run"].browse(wizard.action_run()["res_id"])
        if run.line_ids:
            raise Differs("; ".join(filter(None, run.line_ids.mapped("reason"))))

    def do_close_period(self, step):
        """Close the inventory period that ends on the day."""
        with self.case.at(self.day):
            self.env["inventory.period"].create(
                {"company_id": self.company.id, "ending_date": self.day}
            ).action_close()

    # -- what the ledgers show --------------------------------------------------------

    def shown_costs(self, ref):
        """``[[CostRow]]`` of a ref."""
        return [
            [
                CostRow(
                    value.entry_type,
                    value.variance_type or "",
                    value.posting_date,
                    self._exact(value.cost_amount_actual),
                    self._exact(value.cost_amount_expected),
                    bool(value.charge_product_id),
                )
                for value in entry.value_entry_ids.sorted("id")
            ]
            for entry in self._entries(ref)
        ]

    @staticmethod
    def _exact(number):
        return Decimal(str(round(number or 0.0, 8)))

    def shown_remaining(self, ref):
        """The remaining quantities of a ref."""
        return [self._exact(entry.remaining_quantity) for entry in self._entries(ref)]

    def _balances(self, item, location):
        domain = [
            ("product_id", "=", self.products[item].id),
            ("company_id", "=", self.company.id),
        ]
        if location:
            place = self._warehouse(location).view_location_id
            domain.append(("cost_location_id", "=", place.id))
        return self.env["stock.cost.balance"].sudo().search(domain)

    def shown_balance(self, item, location):
        """Quantity and value of an item, as its balances keep them."""
        balances = self._balances(item, location)
        value = sum(balances.mapped("value_actual") + balances.mapped("value_expected"))
        return self._exact(sum(balances.mapped("quantity"))), self._exact(value)

    def shown_unit_cost(self, item, location):
        """The item's unit cost, or that of its balance at one location."""
        if location:
            return self._exact(self._balances(item, location).unit_cost)
        product = self.products[item].with_company(self.company)
        return self._exact(product.standard_price)

    def shown_gl(self, role):
        """The posted balance of a role's account."""
        return self._exact(self.case.gl(role))
