"""Plays scenarios (scenarios/FORMAT.md) through Odoo's own documents."""

from contextlib import contextmanager, suppress
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, ROUND_UP, Decimal

from odoo import Command
from odoo.exceptions import UserError

from ..costing.receipts import split_amount
from ..costing.rounding import share
from ..posting.roles import roles_for
from .common import InventoryCostCommon
from .costing.scenario_player import (
    CostRow,
    Differs,
    ScenarioPlayer,
    charged_refs,
    order_keys,
)

METHODS = ("fifo", "lifo", "average", "standard")
PRICE_STEP = Decimal("0.00001")


class Refused(Exception):
    """A step asks for more than its documents can give."""


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
        # a discount makes a bill of a certain amount exact
        cls.env["decimal.precision"].search([("name", "=", "Discount")]).digits = 12
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

    def landed_cost(self, picking, amount, date, role="direct_cost_applied"):
        """Return a validated landed cost on a receipt; ``role``: what it credits."""
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
                                "account_id": self.accounts[role].id,
                            }
                        )
                    ],
                }
            )
            cost.compute_landed_cost()
            cost.button_validate()
        return cost


def split_evenly(total, quantities):
    """A value spread over entries that all come to one unit cost; the last takes the
    cents left over."""
    whole = sum(quantities)
    parts = [share(total, quantity, whole) for quantity in quantities[:-1]]
    return [*parts, total - sum(parts)]


class ScenarioDocuments(ScenarioPlayer):
    """One scenario: its products, warehouses and documents.

    ``case`` is the :class:`ScenarioDocumentsCase` whose company and helpers it uses.
    """

    refusals = (UserError, Refused)

    def __init__(self, case, scenario):
        super().__init__(scenario)
        self.case = case
        self.env = case.env
        self.company = case.company
        self.day = None
        # what a ref stands for: stock moves, and of a transfer one of its sides
        self.moves, self.sides = {}, {}
        self.orders, self.lots, self.warehouses = {}, {}, {}
        self.charged = charged_refs(scenario)
        self.order_keys = order_keys(scenario)
        self._settle(self.settings)
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
        unit = float(settings["currency_rounding"])
        if self.company.currency_id.rounding != unit:
            self.company.currency_id.rounding = unit
        if settings["earliest_posting_date"]:
            earliest = date.fromisoformat(settings["earliest_posting_date"])
            self.company.fiscalyear_lock_date = earliest - timedelta(days=1)

    def _warehouse(self, name):
        if name not in self.warehouses:
            known = (self.case.warehouse, self.case.warehouse_2)
            self.warehouses[name] = (
                known[len(self.warehouses)]
                if len(self.warehouses) < len(known)
                else self.env["stock.warehouse"].create(
                    {
                        "name": name,
                        "code": f"S{len(self.warehouses)}",
                        "company_id": self.company.id,
                    }
                )
            )
        return self.warehouses[name]

    def _product(self, name, values):
        method = values["costing_method"]
        field = "standard_cost" if method == "standard" else "unit_cost"
        return self.case.make_product(
            method if method in METHODS else "fifo",
            name=name,
            invoice_policy="delivery",
            # lots are followed where they decide on the cost, at specific cost
            tracking="lot" if method == "specific" else "none",
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
        names = ("moves", "sides", "orders", "lots", "warehouses", "arrived")
        known = {name: dict(getattr(self, name)) for name in names}

        def restore():
            savepoint.close(rollback=True)
            self.env.invalidate_all()
            for name in names:
                setattr(self, name, known[name])

        return restore

    def _where(self, step):
        """The warehouse of a step, or that of what it is applied to, or the first."""
        name = step.get("location")
        if not name and step.get("applies_to"):
            place = self._entries(step["applies_to"])[:1].cost_location_id
            return place.warehouse_id
        return self._warehouse(name or self.first_location)

    def _item(self, step):
        return self.products[step["item"]]

    def _lot(self, step):
        """The lot of a step: only items at specific cost have any.

        Those that no lot is named of are one lot together.
        """
        product = self._item(step)
        if product.tracking == "none":
            return self.env["stock.lot"]
        key = step["item"], step.get("lot") or "-"
        if key not in self.lots:
            self.lots[key] = self.case.make_lot(product, key[1])
        return self.lots[key]

    def _lots(self, step, lot=None, quantity=None):
        """``{lot: quantity}`` of a move, ``None`` if it has no lot."""
        lot = lot or self._lot(step)
        return {lot: float(quantity or step["qty"])} if lot else None

    def _keep(self, step, documents):
        """A step's ref stands for the moves of its pickings (or for its moves)."""
        moves = documents if documents._name == "stock.move" else documents.move_ids
        self.moves[step["ref"]] = moves.filtered(lambda move: move.state == "done")

    def _entries(self, ref):
        """The ledger entries a ref stands for, in order."""
        entries = self.case.ledger_entries(self.moves[ref])
        side = self.sides.get(ref)
        return (
            entries.filtered(lambda e: e.cost_location_id == side) if side else entries
        )

    def _spread(self, step, entries, available):
        """``[(entry, quantity)]``: a step's quantity over entries, in their order.

        ``available(entry)``: how much of it there is. More is refused, as the field a
        user enters it in would refuse it.
        """
        left, parts = Decimal(step["qty"]), []
        for entry in entries:
            part = min(left, available(entry))
            if part > 0:
                parts.append((entry, part))
                left -= part
        if left:
            raise Refused(f"{left} more than there is to apply to")
        return parts

    def _decreases(self, step, warehouse):
        """``[(move values, lots, quantity)]``: the moves that a decrease takes.

        One, or one for each increase that it is applied to.
        """
        if not step.get("applies_to"):
            return [({}, self._lots(step), float(step["qty"]))]
        lot = self._lot(step) if step.get("lot") else None
        entries = self._entries(step["applies_to"]).filtered(
            lambda e: e.cost_location_id == warehouse.view_location_id
            and (not lot or e.lot_id == lot)
        )
        parts = self._spread(
            step, entries, lambda entry: self._exact(entry.remaining_quantity)
        )
        return [
            (
                {"applies_to_entry_id": entry.id},
                self._lots(step, entry.lot_id, part),
                float(part),
            )
            for entry, part in parts
        ]

    # -- purchases --------------------------------------------------------------------

    def do_purchase_receipt(self, step):
        """Receive a purchase order; steps that name one are receipts of its line."""
        key = self.order_keys[step["ref"]]
        if key not in self.orders:
            quantity = sum(
                one["qty"]
                for one in self.scenario["steps"]
                if self.order_keys.get(one.get("ref")) == key
            )
            self.orders[key] = self.case.buy(
                self._item(step),
                float(quantity),
                float(step["unit_cost"]),
                date=self.day,
                warehouse=self._where(step),
            )
        receipt = self.case.receive(
            self.orders[key], float(step["qty"]), self.day, self._lots(step)
        )
        self._keep(step, receipt)

    def do_purchase_invoice(self, step):
        """Post a bill of the receipt's order, for what is not billed of the receipt."""
        order = self.moves[step["receipt"]].purchase_line_id.order_id
        unbilled = sum(self._not_invoiced(step["receipt"]).values())
        quantity = Decimal(step.get("qty") or unbilled)
        if not 0 < quantity <= unbilled:
            raise Refused("more is billed than was received")
        price = step.get("unit_cost", order.order_line.price_unit)
        if "amount" in step:
            self._bill_amount(order, quantity, step["amount"])
        else:
            self.case.bill(order, float(quantity), float(price), self.day)

    def _bill_amount(self, order, quantity, amount):
        """Post a bill of a certain amount, whatever its price rounds to.

        The price is rounded up, and a discount takes off the rest.
        """
        amount = Decimal(amount).quantize(self._rounding(), ROUND_HALF_UP)
        price = (amount / quantity).quantize(PRICE_STEP, ROUND_UP)
        bill = self.case.bill(
            order, float(quantity), float(price), self.day, post=False
        )
        if price:
            discount = 100 - 100 * amount / (price * quantity)
            line = bill.invoice_line_ids.filtered("purchase_line_id")
            line.discount = float(discount)
        with self.case.at(self.day):
            bill.action_post()
        if self._exact(bill.amount_untaxed) != amount:
            raise Differs(f"the bill's amount is {bill.amount_untaxed}")

    def _rounding(self):
        return Decimal(str(self.settings["currency_rounding"]))

    def _not_invoiced(self, ref):
        """``{move: quantity}``: what is not billed or invoiced of a ref's moves."""
        entries = self._entries(ref)
        costs = entries._costs()
        return {
            move: sum(
                abs(self._exact(entry.quantity) - self._exact(costs[entry.id][2]))
                for entry in own
            )
            for move, own in entries.grouped("stock_move_id").items()
        }

    def do_purchase(self, step):
        """Receive and bill on one day."""
        self.do_purchase_receipt(step)
        self.do_purchase_invoice(
            {"receipt": step["ref"], "unit_cost": step["unit_cost"]}
        )

    def do_purchase_return(self, step):
        """Give goods back to the vendor.

        What was billed through the return button, with a refund. Otherwise by a
        delivery without an order, which is never billed, applied where one is told.
        """
        warehouse = self._where(step)
        parts = self._decreases(step, warehouse)
        line = self.env["purchase.order.line"]
        if step.get("applies_to"):
            line = self.moves[step["applies_to"]].purchase_line_id
        if len(parts) == len(line) == 1 and line.qty_invoiced >= line.qty_received:
            _values, lots, quantity = parts[0]
            applied = self.moves[step["applies_to"]]
            picking = self.case.give_back(applied.picking_id, quantity, self.day, lots)
            self.case.bill(line.order_id, date=self.day)
            self._keep(step, picking)
            return
        pickings = self.env["stock.picking"]
        for values, lots, quantity in parts:
            pickings |= self.case.move_goods(
                self._item(step),
                quantity,
                warehouse.lot_stock_id,
                self.case.vendor.property_stock_supplier,
                self.day,
                picking_type=warehouse.out_type_id,
                partner=self.case.vendor,
                lots=lots,
                **values,
            )
        self._keep(step, pickings)

    # -- sales ------------------------------------------------------------------------

    def do_sale_shipment(self, step):
        """Deliver a sale order, or one for each increase that it is applied to."""
        warehouse = self._where(step)
        deliveries = self.env["stock.picking"]
        for values, lots, quantity in self._decreases(step, warehouse):
            order = self.case.sell(
                self._item(step), quantity, date=self.day, warehouse=warehouse
            )
            order.picking_ids.move_ids.write(values)
            deliveries |= self.case.deliver(order, quantity, self.day, lots)
        self._keep(step, deliveries)

    def do_sale_invoice(self, step):
        """Post an invoice of the delivery's order."""
        uninvoiced = self._not_invoiced(step["shipment"])
        left = Decimal(step.get("qty") or sum(uninvoiced.values()))
        if not 0 < left <= sum(uninvoiced.values()):
            raise Refused("more is invoiced than was delivered")
        for move, quantity in uninvoiced.items():
            part = min(left, quantity)
            if part:
                order = move.sale_line_id.order_id
                self.case.invoice(order, float(part), self.day)
                left -= part

    def do_sale(self, step):
        """Deliver and invoice on one day."""
        self.do_sale_shipment(step)
        self.do_sale_invoice({"shipment": step["ref"]})

    def do_sale_return(self, step):
        """Take goods back: through the return button, or without an order."""
        if step.get("returns"):
            self._take_back(step)
            return
        warehouse = self._where(step)
        price = step.get("unit_cost")
        picking = self.case.move_goods(
            self._item(step),
            float(step["qty"]),
            self.case.customer.property_stock_customer,
            warehouse.lot_stock_id,
            self.day,
            picking_type=warehouse.in_type_id,
            partner=self.case.customer,
            lots=self._lots(step),
            **({} if price is None else {"price_unit": self._given(price)}),
        )
        self._keep(step, picking)

    def _take_back(self, step):
        """Return deliveries, each with a credit note, to the step's warehouse."""
        lot = self._lot(step) if step.get("lot") else None
        entries = self._entries(step["returns"]).filtered(
            lambda entry: not lot or entry.lot_id == lot
        )
        pickings = self.env["stock.picking"]
        for entry, part in self._spread(step, entries, self._not_returned):
            delivered = entry.stock_move_id
            # The credit note first, so that what is not invoiced yet stays so.
            self._credit(delivered.sale_line_id, float(part))
            pickings |= self.case.give_back(
                delivered.picking_id,
                float(part),
                self.day,
                self._lots(step, entry.lot_id, part),
                self._where(step).lot_stock_id,
            )
        self._keep(step, pickings)

    def _not_returned(self, entry):
        returns = self.env["stock.ledger.entry"].search(
            [("applies_from_entry_id", "=", entry.id)]
        )
        return -self._exact(entry.quantity) - self._exact(
            sum(returns.mapped("quantity"))
        )

    @staticmethod
    def _given(price):
        """A move's price; Odoo reads 0 as none, so what costs nothing costs a trace."""
        return float(price) or 1e-9

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
        """An inventory gain at a cost of its own.

        Where it is charged later it is a picking: landed costs are put on pickings.
        """
        warehouse, product = self._where(step), self._item(step)
        price, lots = self._given(step["unit_cost"]), self._lots(step)
        if step["ref"] in self.charged:
            gain = self.case.move_goods(
                product,
                float(step["qty"]),
                product.with_company(self.company).property_stock_inventory,
                warehouse.lot_stock_id,
                self.day,
                picking_type=warehouse.in_type_id,
                lots=lots,
                price_unit=price,
            )
        else:
            gain = self.case.adjust_quantity(
                product,
                float(step["qty"]),
                warehouse,
                self.day,
                lots,
                price_unit=price,
            )
        self._keep(step, gain)

    def do_negative_adjustment(self, step):
        """An inventory loss, or one for each increase that it is applied to."""
        warehouse = self._where(step)
        moves = self.env["stock.move"]
        for values, lots, quantity in self._decreases(step, warehouse):
            moves |= self.case.adjust_quantity(
                self._item(step), -quantity, warehouse, self.day, lots, **values
            )
        self._keep(step, moves)

    def do_transfer(self, step):
        """An internal transfer between two warehouses."""
        source, destination = map(self._warehouse, (step["from"], step["to"]))
        pickings = self.env["stock.picking"]
        for values, lots, quantity in self._decreases(step, source):
            pickings |= self.case.move_goods(
                self._item(step),
                quantity,
                source.lot_stock_id,
                destination.lot_stock_id,
                self.day,
                picking_type=source.int_type_id,
                lots=lots,
                **values,
            )
        departed, arrived = step["refs"]
        self.moves[departed] = self.moves[arrived] = pickings.move_ids
        self.sides[departed] = source.view_location_id
        self.sides[arrived] = destination.view_location_id
        if departed in self.layered:
            self.arrived[departed] = arrived

    # -- cost -------------------------------------------------------------------------

    def do_item_charge(self, step):
        """A landed cost for each charge; on what left it is no cost of inventory."""
        if "stock.landed.cost" not in self.env:
            raise Differs("landed costs are not installed")
        for charge in step["charges"]:
            increases = self._entries(charge["entry"]).filtered(
                lambda entry: entry.quantity > 0
            )
            if increases:
                self._charge(increases, charge["amount"])
            else:
                self._charge_delivery(charge["amount"])

    def _charge(self, entries, amount):
        """A landed cost for each move, together the amount, spread by quantity."""
        unit = self._rounding()
        parts = split_amount(
            int((Decimal(amount) / unit).quantize(Decimal(1), ROUND_HALF_UP)),
            [int(self._exact(entry.quantity) * 10**6) for entry in entries],
        )
        by_move = {}
        for entry, part in zip(entries, parts, strict=True):
            move = entry.stock_move_id
            by_move[move] = by_move.get(move, 0) + part
        for move, part in by_move.items():
            # the account that the setups give the direct cost of such an entry
            entry_type = entries.filtered(lambda e, m=move: e.stock_move_id == m)[
                :1
            ].entry_type
            roles = roles_for(entry_type, "direct_cost", "", False, None)
            self.case.landed_cost(
                move.picking_id, float(part * unit), self.day, roles[1]
            )

    def _charge_delivery(self, amount):
        """A vendor bill for the freight of goods sent; closed periods refuse it too."""
        self.env["inventory.period"]._check_open(self.company, [(self.day, "freight")])
        with self.case.at(self.day):
            self.env["account.move"].create(
                {
                    "move_type": "in_invoice" if amount >= 0 else "in_refund",
                    "partner_id": self.case.vendor.id,
                    "invoice_date": self.day,
                    "invoice_line_ids": [
                        Command.create(
                            {
                                "product_id": self.case.freight.id,
                                "price_unit": abs(float(amount)),
                            }
                        )
                    ],
                }
            ).action_post()

    def do_revaluation(self, step):
        """A revaluation document: calculated, edited, approved and posted."""
        entries = self._entries(step["entry"]) if step.get("entry") else None
        product = entries.product_id if entries else self._item(step)
        place = self._where(step).view_location_id if step.get("location") else None
        average = product.with_company(self.company).cost_method == "average"
        pools = average and self.company.average_cost_calc_type == "item_location"
        per = "entry" if entries else "item_location" if place or pools else "item"
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
        """Enter the new unit cost, or what of the new value or amount is each line's.

        Receipts that one ref stands for come to the same unit cost.
        """
        if not lines:
            return
        if "new_unit_cost" in step and (len(lines) == 1 or not step.get("entry")):
            for line in lines:
                line.unit_cost_revalued = float(step["new_unit_cost"])
            return
        before = [self._exact(line.value_calculated) for line in lines]
        quantities = [int(self._exact(line.quantity) * 10**6) for line in lines]
        if "new_unit_cost" in step:
            total = Decimal(step["new_unit_cost"]) * sum(quantities) / 10**6
        else:
            total = Decimal(step.get("new_value", step.get("amount")))
        if "amount" in step and step.get("entry"):
            total += sum(before)
        unit = self._rounding()
        total = int((total / unit).quantize(Decimal(1), ROUND_HALF_UP))
        split = split_evenly if step.get("entry") else split_amount
        kept = (
            before if "amount" in step and not step.get("entry") else [0] * len(lines)
        )
        for line, old, part in zip(lines, kept, split(total, quantities), strict=True):
            line.value_revalued = float(old + part * unit)

    def do_set_standard_cost(self, step):
        """Write the product's cost; only standard items have a standard cost."""
        product = self._item(step).with_company(self.company)
        if product.cost_method == "standard":
            with self.case.at(self.day):
                product.standard_price = float(step["standard_cost"])

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
            raise Refused("; ".join(run.line_ids.mapped("reason")))

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
            raise Refused("; ".join(filter(None, run.line_ids.mapped("reason"))))

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
        """The item's unit cost, or that of its stock at one location."""
        product = self.products[item].with_company(self.company)
        current = self._exact(product.standard_price)
        if not location or product.cost_method == "standard":
            return current
        quantity, value = self.shown_balance(item, location)
        for entry in self._waiting(product, location):
            rows = entry.value_entry_ids.sorted("id")
            if product.cost_method != "average":
                # it stands at what it was first recorded at (costing.unit_cost)
                rows = rows.filtered("ledger_entry_quantity")
            cost = rows.mapped("cost_amount_actual") + rows.mapped(
                "cost_amount_expected"
            )
            waiting = self._exact(entry.remaining_quantity)
            quantity -= waiting
            value -= self._exact(sum(cost)) * waiting / self._exact(entry.quantity)
        if quantity <= 0 or not value:
            return current
        return max(value / quantity, Decimal(0)).quantize(PRICE_STEP, ROUND_HALF_UP)

    def _waiting(self, product, location):
        """The decreases at a location that wait for supply."""
        place = self._warehouse(location).view_location_id
        return self.env["stock.ledger.entry"].search(
            [
                ("product_id", "=", product.id),
                ("company_id", "=", self.company.id),
                ("cost_location_id", "=", place.id),
                ("open", "=", True),
                ("quantity", "<", 0),
            ]
        )

    def shown_gl(self, role):
        """The posted balance of a role's account."""
        return self._exact(self.case.gl(role))
