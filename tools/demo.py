"""Two months of an outdoor shop, closed to the cent. Run by tools/demo in Odoo's shell.

The company is set up with the setup wizard, then every document goes through Odoo's
own buttons on its day. What the accountant does at the end is the monthly routine:
reconcile, mend, adjust cost, preview, test, post, reconcile.
"""

import logging
import os
import sys
import threading
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

from freezegun import freeze_time
from werkzeug.serving import make_server

from odoo import Command, fields, http

BUILD = Path(os.environ["BUILD"]) / "demo"
COMPANY = "Nordwind Outdoor"
# Product: (category, sales price, cost before the first receipt)
PRODUCTS = {
    "Fjord 2 Tent": ("Tents", 299.00, 180.00),
    "Fjord Sleeping Pad": ("Tents", 45.00, 22.00),
    "Polar Sleeping Bag": ("Sleeping and Cooking", 119.00, 60.00),
    "Ember Stove": ("Sleeping and Cooking", 69.00, 32.00),
    "Lumen 300 Headlamp": ("Lamps", 39.00, 18.00),
    "Camp Lantern": ("Lamps", 54.00, 25.00),
    "Climbing Rope 60 m": ("Ropes", 149.00, 85.00),
}
METHODS = {
    "Tents": "fifo",
    "Sleeping and Cooking": "average",
    "Lamps": "standard",
    "Ropes": "lifo",
}
CAUSES = {
    "not_posted": "not posted yet",
    "expected_not_posted": "expected cost not posted",
    "posted_by_hand": "posted by hand",
    "posted_on_other_date": "posted on another date",
    "posted_to_other_account": "posted to another account",
    "unexplained": "UNEXPLAINED",
}


# -- The company ----------------------------------------------------------------------


def make_company(env):
    """Create the company with a chart of accounts and make it the admin's own.

    :return: the environment of the admin in the new company
    """
    company = env["res.company"].create({"name": COMPANY, "inventory_cost_tz": "UTC"})
    env["account.chart.template"].try_loading(
        "generic_coa", company=company, install_demo=False
    )
    admin = env.ref("base.user_admin")
    full_accounting = env.ref("account.group_account_user")  # sees account codes
    admin.write(
        {
            "company_ids": [Command.link(company.id)],
            "company_id": company.id,
            "group_ids": [Command.link(full_accounting.id)],
        }
    )
    return env(user=admin.id, context={"allowed_company_ids": company.ids})


def make_master_data(env):
    """Create a warehouse, categories, products, a vendor and a customer."""
    env["stock.warehouse"].create({"name": COMPANY, "code": "NW"})
    categories = {
        name: env["product.category"].create({"name": name}) for name in METHODS
    }
    for name, (category, price, cost) in PRODUCTS.items():
        env["product.product"].create(
            {
                "name": name,
                "is_storable": True,
                "categ_id": categories[category].id,
                "list_price": price,
                "standard_price": cost,
                "invoice_policy": "delivery",
                "company_id": env.company.id,
            }
        )
    env["res.partner"].create(
        [
            {"name": name, "is_company": True, "company_id": env.company.id}
            for name in ("Alpin Gear Wholesale", "Bergfreunde Club Shop")
        ]
    )


def run_setup_wizard(env):
    """Set the company up: accept the accounts proposed, tick the categories."""
    wizard = env["inventory.cost.setup"].create({})
    for line in wizard.category_line_ids:
        if line.category_id.name in METHODS:
            line.managed = True
            line.cost_method = METHODS[line.category_id.name]
    wizard.action_apply()
    # Costs of earlier documents wait for Adjust Cost, so that it has work to show.
    env["res.config.settings"].create({"automatic_cost_adjustment": "never"}).execute()


# -- The buttons of the documents -----------------------------------------------------


class Shop:
    """The shop's staff: each method presses the buttons of one kind of document."""

    def __init__(self, env):
        self.env = env
        self.vendor = self.find("res.partner", "Alpin Gear Wholesale")
        self.customer = self.find("res.partner", "Bergfreunde Club Shop")
        self.stock = (
            env["stock.warehouse"]
            .search([("company_id", "=", env.company.id)], limit=1)
            .lot_stock_id
        )

    def find(self, model, name):
        """Return the company's record of this name."""
        return self.env[model].search(
            [("name", "=", name), ("company_id", "=", self.env.company.id)], limit=1
        )

    def product(self, name):
        """Return the product of this name."""
        return self.find("product.product", name)

    def buy(self, name, quantity, price):
        """Confirm a purchase order."""
        line = {
            "product_id": self.product(name).id,
            "product_qty": quantity,
            "price_unit": price,
        }
        order = self.env["purchase.order"].create(
            {"partner_id": self.vendor.id, "order_line": [Command.create(line)]}
        )
        order.button_confirm()
        return order

    def sell(self, name, quantity):
        """Confirm a sales order at the list price."""
        line = {"product_id": self.product(name).id, "product_uom_qty": quantity}
        order = self.env["sale.order"].create(
            {"partner_id": self.customer.id, "order_line": [Command.create(line)]}
        )
        order.action_confirm()
        return order

    def move_goods(self, order, quantity=None):
        """Validate the open receipt or delivery; what is left gets a backorder."""
        picking = order.picking_ids.filtered(
            lambda picking: picking.state not in ("done", "cancel")
        )
        return self.validate(picking, quantity)

    def validate(self, picking, quantity=None):
        """Validate a picking, all of it or a quantity."""
        for move in picking.move_ids:
            move.quantity = quantity or move.product_uom_qty
            move.picked = True
        picking.with_context(skip_backorder=True).button_validate()
        return picking

    def bill(self, order, price, quantity=None):
        """Post the vendor bill, or credit note, for what is received and not billed."""
        before = order.invoice_ids
        order.action_create_invoice()
        bill = order.invoice_ids - before
        bill.invoice_date = fields.Date.today()
        bill.invoice_line_ids.price_unit = price
        if quantity:
            bill.invoice_line_ids.quantity = quantity
        bill.action_post()

    def invoice(self, order):
        """Post the invoice, or the credit note, for what is not invoiced yet."""
        order._create_invoices(final=True).action_post()

    def give_back(self, picking, quantity):
        """Return goods of a receipt to the vendor, or take them back of a delivery."""
        wizard = (
            self.env["stock.return.picking"]
            .with_context(active_id=picking.id, active_model="stock.picking")
            .create({})
        )
        wizard.product_return_moves.quantity = quantity
        action = wizard.action_create_returns()
        self.validate(self.env["stock.picking"].browse(action["res_id"]), quantity)

    def hand_out(self, name, quantity):
        """Deliver goods without a sales order, such as a sample."""
        picking_type = self.stock.warehouse_id.out_type_id
        move = {"product_id": self.product(name).id, "product_uom_qty": quantity}
        picking = self.env["stock.picking"].create(
            {
                "picking_type_id": picking_type.id,
                "partner_id": self.customer.id,
                "location_id": self.stock.id,
                "location_dest_id": self.customer.property_stock_customer.id,
                "move_ids": [Command.create(move)],
            }
        )
        picking.action_confirm()
        self.validate(picking)

    def scrap(self, name, quantity):
        """Scrap goods."""
        values = {"product_id": self.product(name).id, "scrap_qty": quantity}
        self.env["stock.scrap"].create(values).action_validate()

    def count(self, name, quantity):
        """Apply a physical count."""
        self.env["stock.quant"].with_context(inventory_mode=True).create(
            {
                "product_id": self.product(name).id,
                "location_id": self.stock.id,
                "inventory_quantity": quantity,
            }
        ).action_apply_inventory()

    def book_by_hand(self, amount):
        """Post a journal entry on the inventory account, past the value entries."""
        setup = self.env["inventory.posting.setup"].search([], limit=1)
        company = self.env.company
        entry = self.env["account.move"].create(
            {
                "ref": "Count difference, booked by hand",
                "line_ids": [
                    Command.create({"account_id": account.id, "balance": balance})
                    for account, balance in (
                        (setup.inventory_account_id, amount),
                        (company.expense_account_id, -amount),
                    )
                ],
            }
        )
        entry.action_post()
        return entry


# -- Two months -----------------------------------------------------------------------


def months():
    """Return the first days of the two full months before today."""
    this_month = date.today().replace(day=1)
    second = (this_month - timedelta(days=1)).replace(day=1)
    return (second - timedelta(days=1)).replace(day=1), second


def first_month(shop, on):
    """Buy and sell; a delivery before its receipt, and bills that differ.

    :param on: gives the day: ``with on(3):``
    :return: the orders that the second month goes on with
    """
    with on(1):
        tents = shop.buy("Fjord 2 Tent", 20, 180.00)
        bags = shop.buy("Polar Sleeping Bag", 40, 60.00)
        lamps = shop.buy("Lumen 300 Headlamp", 120, 17.40)
        lanterns = shop.buy("Camp Lantern", 30, 25.00)
        ropes = shop.buy("Climbing Rope 60 m", 30, 85.00)
    with on(3):
        shop.move_goods(tents, 12)  # 8 follow
        for order in (bags, lamps, lanterns, ropes):
            shop.move_goods(order)
    with on(7):
        tents_sold = shop.sell("Fjord 2 Tent", 10)
        tents_delivered = shop.move_goods(tents_sold)
    with on(8):  # sold before it is bought: stock is negative
        stoves_sold = shop.sell("Ember Stove", 6)
        shop.move_goods(stoves_sold)
        stoves = shop.buy("Ember Stove", 30, 34.50)
    with on(9):
        shop.move_goods(tents)
        shop.bill(tents, 180.00, quantity=12)
        shop.bill(bags, 60.00)
        shop.bill(lamps, 17.40)  # standard cost 18.00: a purchase variance
    with on(12):
        lamps_sold = shop.sell("Lumen 300 Headlamp", 45)
        shop.move_goods(lamps_sold, 30)
        shop.invoice(lamps_sold)
    with on(14):
        shop.move_goods(stoves)
        shop.hand_out("Lumen 300 Headlamp", 1)  # a sample for the press
    with on(16):
        shop.bill(stoves, 35.20)  # ordered at 34.50
        shop.move_goods(lamps_sold)
        ropes_sold = shop.sell("Climbing Rope 60 m", 12)
        shop.move_goods(ropes_sold)
    with on(20):
        shop.bill(lanterns, 26.10)
        bags_sold = shop.sell("Polar Sleeping Bag", 18)
        shop.move_goods(bags_sold)
        lanterns_sold = shop.sell("Camp Lantern", 11)
        shop.move_goods(lanterns_sold)
    with on(24):
        shop.bill(ropes, 85.00)
        for order in (tents_sold, stoves_sold, lamps_sold, ropes_sold):
            shop.invoice(order)
        shop.invoice(bags_sold)
        shop.invoice(lanterns_sold)
    with on(28):
        shop.scrap("Lumen 300 Headlamp", 2)
        shop.count("Ember Stove", 23)  # one is missing
    return tents, tents_sold, tents_delivered


def second_month(shop, on, tents, tents_sold, tents_delivered):
    """Bill late at other prices, return goods both ways, leave documents open."""
    with on(2):
        ropes = shop.buy("Climbing Rope 60 m", 20, 95.00)
        bags = shop.buy("Polar Sleeping Bag", 30, 66.00)
    with on(5):
        ropes_received = shop.move_goods(ropes)
        shop.move_goods(bags)
        more_tents_sold = shop.sell("Fjord 2 Tent", 6)
        shop.move_goods(more_tents_sold)
    with on(6):
        shop.give_back(tents_delivered, 1)  # too small: back from the customer
        shop.invoice(tents_sold)  # its credit note
    with on(9):
        bags_sold = shop.sell("Polar Sleeping Bag", 25)
        shop.move_goods(bags_sold, 20)
        shop.invoice(bags_sold)
    with on(12):  # the other 8 tents, ordered at 180.00; most are sold meanwhile
        shop.bill(tents, 192.00)
        shop.invoice(more_tents_sold)
    with on(15):
        shop.move_goods(bags_sold)
        shop.invoice(bags_sold)
        ropes_sold = shop.sell("Climbing Rope 60 m", 10)
        shop.move_goods(ropes_sold)
        shop.invoice(ropes_sold)
    with on(19):
        shop.bill(bags, 69.00)  # ordered at 66.00
        shop.bill(ropes, 93.50)  # ordered at 95.00
    with on(21):
        shop.give_back(ropes_received, 4)  # torn: back to the vendor
        shop.bill(ropes, 93.50)  # the vendor's credit note
    with on(22):
        shop.scrap("Fjord 2 Tent", 1)
        shop.count("Camp Lantern", 18)  # one is missing
    with on(26):
        pads = shop.buy("Fjord Sleeping Pad", 50, 22.00)
        shop.move_goods(pads)  # its bill is still missing
    with on(27):
        rope_sold = shop.sell("Climbing Rope 60 m", 4)
        shop.move_goods(rope_sold)  # to be invoiced next month
    with on(28):
        return shop.book_by_hand(72.00)


# -- The accountant -------------------------------------------------------------------


def reconciliation(env):
    """Return the figures of the Inventory - G/L Reconciliation, all dates."""
    return env["inventory.gl.reconciliation"]._summary(env.company)


def print_reconciliation(title, summary):
    """Print a line per account role, with the causes of its difference."""
    print(f"\n{title}\n")
    row = "{:30}{:>14}{:>14}{:>13}  {}".format
    print(row("Account role", "Value entries", "G/L", "Difference", "Causes"))
    for line in [*summary.lines, summary.total]:
        amounts = line.amounts()
        causes = [
            f"{amounts[cause]:,.2f} {name}"
            for cause, name in CAUSES.items()
            if amounts[cause]
        ] or [""]
        figures = (
            line.value_entry_amount,
            line.gl_amount,
            line.difference,
        )
        print(row(line.name, *(f"{f:,.2f}" for f in figures), causes[0]).rstrip())
        for cause in causes[1:]:
            print(row("", "", "", "", cause))


def reverse_by_hand(env, entry):
    """Reverse the journal entry posted by hand, as the reconciliation advises."""
    wizard = (
        env["account.move.reversal"]
        .with_context(active_model="account.move", active_ids=entry.ids)
        .create({"journal_id": entry.journal_id.id, "date": entry.date})
    )
    wizard.refund_moves()
    entry.reversal_move_ids.filtered(lambda move: move.state == "draft").action_post()


def press(env, wizard, button, **values):
    """Press a wizard's button; return the run it opens."""
    action = getattr(env[wizard].create(values), button)()
    return env["inventory.cost.run"].browse(action["res_id"])


def adjust_cost(env):
    """Run Adjust Cost and print what it corrected, product by product."""
    run = press(env, "inventory.cost.adjust", "action_adjust")
    print(
        f"\nAdjust Cost ({run.name}): {run.item_count} products, "
        f"{run.entry_count} value entries appended\n"
    )
    row = "{:22}{:42}{:22}{:>12}".format
    print(row("Product", "Document", "Adjusted because of", "Adjustment"))
    entries = env["stock.value.entry"].search([("run_ref", "=", run.id)])
    for entry in entries.sorted("product_id"):
        amount = entry.cost_amount_actual + entry.cost_amount_expected
        cause = entry.cause_value_entry_id.document_ref
        texts = (entry.product_id.name, entry.document_ref or "", cause or "")
        print(row(*texts, f"{amount:,.2f}"))


def post_cost(env):
    """Preview, test and post; return what is wrong, if anything."""
    runs = {
        mode: press(env, "inventory.cost.post", "action_run", mode=mode)
        for mode in ("preview", "test", "post")
    }
    print("\nPost Inventory Cost to G/L\n")
    row = "{:10}{:>15}{:>18}{:>10}{:>16}".format
    print(row("", "Value entries", "Journal entries", "Skipped", "Debited"))
    for mode, run in runs.items():
        counts = (run.entry_count, run.journal_entry_count, run.skipped_count)
        print(row(mode.title(), *counts, f"{run.amount:,.2f}"))
    for line in runs["post"].line_ids:
        print(f"  skipped: {line.document_ref}: {line.reason}")


# -- The PDFs -------------------------------------------------------------------------


@contextmanager
def web_server(env):
    """Serve the styles that wkhtmltopdf fetches from Odoo while it prints."""
    server = make_server("127.0.0.1", 0, http.root, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    parameters = env["ir.config_parameter"].sudo()
    parameters.set_param("report.url", f"http://127.0.0.1:{server.port}")
    env.cr.commit()
    yield
    server.shutdown()
    parameters.set_param("report.url", False)
    env.cr.commit()


def print_pdf(env, name):
    """Write the reconciliation as PDF to build/demo."""
    wizard = env["inventory.gl.reconciliation.wizard"].create({})
    wizard.action_show()
    with web_server(env):
        pdf, _kind = env["ir.actions.report"]._render_qweb_pdf(
            "inventory_cost_gl.action_report_inventory_gl_reconciliation", wizard.ids
        )
    (BUILD / name).write_bytes(pdf)


# -- The demo -------------------------------------------------------------------------


def tell_story(env):
    """Play the two months; return the journal entry posted by hand."""

    def days_of(month):
        return lambda day: freeze_time(month.replace(day=day).strftime("%F 12:00:00"))

    first, second = months()
    shop = Shop(env)
    carried_over = first_month(shop, days_of(first))
    entry = second_month(shop, days_of(second), *carried_over)
    count = env["stock.value.entry"].search_count([])
    print(
        f"\n{COMPANY}, {first:%B} and {second:%B %Y}: purchases, sales, returns, late "
        f"bills, scrap and\na physical count made {count} value entries."
    )
    return entry


def look_around():
    """Say where to look at the same in the browser."""
    print(
        f"\nThe PDFs are in build/demo. To look around: make serve, log in as admin "
        f"with password admin.\nThe company is {COMPANY} (menu at the top right), "
        f"the app is Inventory Cost.\n"
    )


def main(env):
    """Play the demo; return whether the two ledgers agree."""
    BUILD.mkdir(parents=True, exist_ok=True)
    env = make_company(env)
    make_master_data(env)
    run_setup_wizard(env)
    by_hand = tell_story(env)
    env.cr.commit()

    print_reconciliation("Reconciliation before posting", reconciliation(env))
    print_pdf(env, "reconciliation-before.pdf")
    reverse_by_hand(env, by_hand)
    print("\nThe entry posted by hand is reversed, as the reconciliation advises.")
    adjust_cost(env)
    post_cost(env)
    env.cr.commit()

    after = reconciliation(env)
    print_reconciliation("Reconciliation after posting", after)
    print_pdf(env, "reconciliation-after.pdf")
    look_around()
    return report_outcome(env, after)


def report_outcome(env, summary):
    """Print the last line; return whether the two ledgers agree."""
    count = env["stock.value.entry"].search_count([])
    total = summary.total
    if summary.reconciled and count:
        print(
            f"Reconciled: {count} value entries, difference {total.difference:.2f}, "
            f"unexplained {total.unexplained:.2f}"
        )
        return True
    roles = ", ".join(line.name for line in summary.lines if line.difference)
    print(
        f"NOT reconciled: {count} value entries, unexplained records "
        f"{summary.alarm_count}, difference under: {roles or 'no role'}"
    )
    return False


try:
    reconciled = main(env)  # noqa: F821 (Odoo's shell gives it)
except Exception as error:
    logging.getLogger(__name__).exception("The demo failed")
    print(f"The demo failed: {error} (see build/demo.log)")
    reconciled = False
sys.exit(0 if reconciled else 1)
