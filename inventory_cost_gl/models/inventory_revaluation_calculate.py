from odoo import Command, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_date, split_every

from ..costing.records import AVERAGE
from ..costing.revaluation import RevaluationError, check_period, revaluable
from ..engine.load import Loader
from ..engine.units import Units
from .inventory_revaluation import PRODUCTS_AT_ONCE


class InventoryRevaluationCalculate(models.Model):
    """*Calculate Inventory Value*: what is left at the date, and what may be revalued.

    The rules are those of Business Central, reference h.1.
    """

    _inherit = "inventory.revaluation"

    def action_calculate(self):
        """Propose the lines: what is left of the products at the date, and its value.

        Lines there already are replaced.
        """
        self.ensure_one()
        self.check_access("write")
        self._check_draft()
        rows = []
        for ids in split_every(PRODUCTS_AT_ONCE, self._products_to_calculate().ids):
            products = self.env["product.product"].browse(ids)
            books = self._load(products)
            self._check_calculate_per(books)
            self._check_average(books)
            for product in products:
                rows += self._calculated_lines(product, books[product.id])
        if not rows:
            raise UserError(
                self.env._(
                    "Nothing is left to revalue on %(date)s: only stock that was "
                    "completely billed by then counts.",
                    date=format_date(self.env, self.date),
                )
            )
        self.line_ids = [Command.clear(), *map(Command.create, rows)]

    def _products_to_calculate(self):
        """Return the products chosen, and the managed ones of the categories chosen."""
        products = self.product_ids
        if self.category_ids:
            items = self.env["stock.cost.item"].search(
                Domain("company_id", "=", self.company_id.id)
                & Domain("product_id.categ_id", "child_of", self.category_ids.ids)
            )
            managed = items.product_id.with_company(self.company_id)
            products |= managed._filter_managed().with_env(self.env)
        if not products:
            raise UserError(
                self.env._("Choose the products or categories to revalue first.")
            )
        return products

    def _calculated_lines(self, product, book):
        """Return the values of the lines of one product."""
        rows = []
        for key, entries in self._groups(book).items():
            line = self.env["inventory.revaluation.line"].new(
                {"revaluation_id": self.id, "product_id": product.id, **dict(key)}
            )
            quantity, value = line._calculated(book, entries)
            rows.append(
                {
                    "product_id": product.id,
                    **dict(key),
                    "quantity": quantity,
                    "value_calculated": value,
                    "value_revalued": self._proposed_value(product, quantity, value),
                }
            )
        return rows

    def _groups(self, book):
        """Return ``{line key: revaluable entries}`` of a product."""
        locations = None
        if self.warehouse_ids:
            locations = set(self.warehouse_ids.view_location_id.ids)
        groups = {}
        for entry, quantity in revaluable(book, self.date, locations=locations):
            key = ()
            if self.calculate_per == "entry":
                key = (("ledger_entry_id", entry.id),)
            elif self.calculate_per == "item_location" or self.warehouse_ids:
                key = (("cost_location_id", entry.location),)
            groups.setdefault(key, []).append((entry, quantity))
        return groups

    def _proposed_value(self, product, quantity, value):
        """Return the value after that the calculation base proposes."""
        in_company = product.with_company(self.company_id)
        unit_cost = None
        if self.calculation_base == "last_direct_cost":
            unit_cost = self._last_direct_cost(product)
        elif (
            self.calculation_base == "standard_cost"
            and in_company.cost_method == "standard"
        ):
            unit_cost = in_company.standard_price
        if unit_cost is None:
            return value
        return self.currency_id.round(unit_cost * quantity)

    def _last_direct_cost(self, product):
        """Return the direct unit cost of the last purchase until the date, or None."""
        entry = (
            self.env["stock.ledger.entry"]
            .sudo()
            .search(
                [
                    ("company_id", "=", self.company_id.id),
                    ("product_id", "=", product.id),
                    ("entry_type", "in", ("purchase", "output")),
                    ("quantity", ">", 0),
                    ("posting_date", "<=", self.date),
                ],
                order="posting_date desc, id desc",
                limit=1,
            )
        )
        if not entry:
            return None
        direct = entry.value_entry_ids.filtered(
            lambda value: value.entry_type == "direct_cost"
        )
        cost = sum(direct.mapped("cost_amount_actual"))
        cost += sum(direct.mapped("cost_amount_expected"))
        return cost / entry.quantity

    def _load(self, products):
        """Return the whole history of the products as costing books."""
        company = self.company_id
        items = (
            self.env["stock.cost.item"]
            .sudo()
            .search(
                [("company_id", "=", company.id), ("product_id", "in", products.ids)]
            )
        )
        missing = products - items.product_id
        if missing:
            raise UserError(
                self.env._(
                    "%(product)s isn't valued by value entries in %(company)s. Remove "
                    "it from the revaluation.",
                    product=missing[0].display_name,
                    company=company.display_name,
                )
            )
        return Loader(company.sudo(), Units(company.currency_id)).load_history(items)

    # -- Products valued by average ----------------------------------------------------

    def _check_calculate_per(self, books):
        """An average can be revalued as it is worked out: per product, or warehouse."""
        per_item = self.company_id.average_cost_calc_type == "item"
        wanted = "item" if per_item else "item_location"
        if self.calculate_per == wanted and not (per_item and self.warehouse_ids):
            return
        for product in self._average(books):
            if per_item:
                raise UserError(
                    self.env._(
                        "The average cost of %(product)s is worked out per product: "
                        "calculate per 'Product', without choosing warehouses.",
                        product=product.display_name,
                    )
                )
            raise UserError(
                self.env._(
                    "The average cost of %(product)s is worked out per product and "
                    "warehouse: calculate per 'Product and Warehouse'.",
                    product=product.display_name,
                )
            )

    def _check_average(self, books):
        """Refuse an average that is not settled by the date.

        It has to be adjusted until then, and nothing may wait for supply.
        """
        average = self._average(books)
        queued = (
            self.env["stock.cost.queue"]
            .sudo()
            .search(
                [
                    ("company_id", "=", self.company_id.id),
                    ("product_id", "in", average.ids),
                    ("valuation_date", "<=", self.date),
                ],
                limit=1,
            )
        )
        if queued:
            raise UserError(
                self.env._(
                    "The cost of %(product)s is not adjusted until %(date)s. Run "
                    "Adjust Cost first.",
                    product=queued.product_id.display_name,
                    date=format_date(self.env, self.date),
                )
            )
        for product in average:
            if any(
                entry.remaining < 0 and entry.valuation_date <= self.date
                for entry in books[product.id].entries.values()
            ):
                raise UserError(
                    self.env._(
                        "More of %(product)s was taken than came in until %(date)s. "
                        "Record the missing receipt or a physical count first.",
                        product=product.display_name,
                        date=format_date(self.env, self.date),
                    )
                )

    def _average(self, books):
        """Return the products of books whose average is revalued.

        A single receipt is revalued at its own cost, whatever the average is by then.
        """
        return self.env["product.product"].browse(
            product_id
            for product_id, book in books.items()
            if book.item.costing_method == AVERAGE and self.calculate_per != "entry"
        )

    # -- Odoo's own ways of changing a value -------------------------------------------

    def _revalue(self, company, reason, lines):
        """Revalue at once from elsewhere: a changed cost, an adjusted valuation.

        ``lines``: values of lines with ``unit_cost_revalued`` or ``value_revalued``.
        Where the average period does not end today the document stays a draft dated
        the period's end, with an activity for the user: never a silent change. Returns
        the document.
        """
        revaluations = self.sudo().with_company(company)
        lines = revaluations._per_pool(company, lines)
        per = "item"
        if any(line.get("ledger_entry_id") for line in lines):
            per = "entry"
        elif any(line.get("cost_location_id") for line in lines):
            per = "item_location"
        revaluation = revaluations._draft(company, reason, lines, calculate_per=per)
        day = revaluation.date
        if day == company._inventory_posting_date(fields.Datetime.now()):
            revaluation._post()
        else:
            revaluation.activity_schedule(
                "mail.mail_activity_data_todo",
                date_deadline=day,
                summary=self.env._(
                    "Post this revaluation: the average period ends on %(date)s",
                    date=format_date(self.env, day),
                ),
                user_id=self.env.uid,
            )
        return revaluation

    def _per_pool(self, company, lines):
        """Divide lines of average products where each warehouse has its own average."""
        if company.average_cost_calc_type == "item":
            return lines
        items = self.env["stock.cost.item"].search(
            [
                ("company_id", "=", company.id),
                ("product_id", "in", [line["product_id"] for line in lines]),
            ]
        )
        pools = {
            item.product_id.id: item.balance_ids.filtered(lambda b: b.quantity > 0)
            for item in items
            if item._is_average()
        }
        divided = []
        for line in lines:
            if line.get("ledger_entry_id") or line["product_id"] not in pools:
                divided.append(line)
                continue
            for location in pools[line["product_id"]].cost_location_id:
                divided.append({**line, "cost_location_id": location.id})
        return divided

    def _earliest_date(self):
        """Return the first date from its own on that the document can be posted on."""
        books = self._load(self.line_ids.product_id)
        day = self.date
        for line in self.line_ids:
            try:
                check_period(books[line.product_id.id], day)
            except RevaluationError:
                day = line._period_end(day)
        return day
