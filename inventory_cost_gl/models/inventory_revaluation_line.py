from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..costing.layers import reversals_of
from ..costing.periods import period_end
from ..costing.records import AVERAGE
from ..costing.revaluation import (
    RevaluationError,
    balance_at,
    check_period,
    revaluable,
    revalue,
)
from ..engine.units import Units


class InventoryRevaluationLine(models.Model):
    """What of a product, its warehouse or a receipt is revalued, before and after."""

    _name = "inventory.revaluation.line"
    _description = "Inventory Revaluation Line"
    _order = "id"
    _rec_name = "product_id"
    _check_company_auto = True

    revaluation_id = fields.Many2one(
        "inventory.revaluation", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(
        related="revaluation_id.company_id", store=True, index=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    product_id = fields.Many2one("product.product", required=True, check_company=True)
    cost_location_id = fields.Many2one("stock.location", string="Cost Location")
    warehouse_name = fields.Char(string="Warehouse", compute="_compute_warehouse_name")
    ledger_entry_id = fields.Many2one("stock.ledger.entry", check_company=True)
    quantity = fields.Float(digits=(16, 6), readonly=True)
    value_calculated = fields.Monetary(string="Value Before", readonly=True)
    unit_cost_calculated = fields.Float(
        string="Unit Cost Before",
        digits=(16, 8),
        compute="_compute_unit_cost_calculated",
    )
    value_revalued = fields.Monetary(string="Value After")
    unit_cost_revalued = fields.Float(
        string="Unit Cost After",
        digits=(16, 8),
        compute="_compute_unit_cost_revalued",
        inverse="_inverse_unit_cost_revalued",
        store=True,
        readonly=False,
    )
    amount = fields.Monetary(string="Change", compute="_compute_amount", store=True)

    @api.depends("cost_location_id")
    def _compute_warehouse_name(self):
        """Name the warehouse of a cost location; other locations by themselves."""
        for line in self:
            location = line.cost_location_id
            line.warehouse_name = location.warehouse_id.name or location.display_name

    @api.depends("quantity", "value_calculated")
    def _compute_unit_cost_calculated(self):
        for line in self:
            line.unit_cost_calculated = (
                line.value_calculated / line.quantity if line.quantity else 0.0
            )

    @api.depends("quantity", "value_revalued")
    def _compute_unit_cost_revalued(self):
        for line in self:
            if line.quantity:
                line.unit_cost_revalued = line.value_revalued / line.quantity

    @api.onchange("unit_cost_revalued")
    def _inverse_unit_cost_revalued(self):
        for line in self:
            if line.quantity:
                line.value_revalued = line.currency_id.round(
                    line.unit_cost_revalued * line.quantity
                )

    @api.depends("value_calculated", "value_revalued")
    def _compute_amount(self):
        for line in self:
            line.amount = line.currency_id.round(
                line.value_revalued - line.value_calculated
            )

    @api.constrains("value_revalued")
    def _check_value_revalued(self):
        for line in self:
            if line.currency_id.compare_amounts(line.value_revalued, 0.0) < 0:
                raise UserError(
                    self.env._(
                        "The value of %(product)s after the revaluation can't be "
                        "negative.",
                        product=line.product_id.display_name,
                    )
                )

    # -- Only while the document is a draft --------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Refuse lines of documents that are approved or posted."""
        lines = super().create(vals_list)
        lines.revaluation_id._check_draft()
        return lines

    def write(self, vals):
        """Refuse changes of lines that are approved or posted, or would become it."""
        self.revaluation_id._check_draft()
        result = super().write(vals)
        self.revaluation_id._check_draft()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_draft(self):
        self.revaluation_id._check_draft()

    # -- The rules --------------------------------------------------------------------

    def _rows(self, book):
        """Return ``[(entry, quantity)]`` the line revalues."""
        self.ensure_one()
        return revaluable(
            book,
            self.revaluation_id.date,
            {self.ledger_entry_id.id} if self.ledger_entry_id else None,
            {self.cost_location_id.id} if self.cost_location_id else None,
        )

    def _average_balance(self, book):
        """Return the balance an average product's line is calculated on, or ``None``.

        Raises where the average period or a missing supply forbids it.
        """
        self.ensure_one()
        if book.item.costing_method != AVERAGE or self.ledger_entry_id:
            return None
        date = self.revaluation_id.date
        try:
            check_period(book, date)
        except RevaluationError as error:
            raise UserError(
                self.env._(
                    "%(product)s is valued by average: revalue it on the last day of "
                    "an average period, such as %(date)s.",
                    product=self.product_id.display_name,
                    date=format_date(self.env, self._period_end(date)),
                )
            ) from error
        locations = {self.cost_location_id.id} if self.cost_location_id else None
        return balance_at(book, date, locations)

    def _period_end(self, day):
        return period_end(day, self.company_id.average_cost_period)

    def _calculated(self, book, rows):
        """Return quantity and value before, of the entries the line revalues."""
        units = Units(self.currency_id)
        balance = self._average_balance(book)
        quantity = sum(part for _entry, part in rows)
        try:
            revalued = revalue(
                rows,
                value=0,
                balance=balance,
                reversals=reversals_of(book.entries.values()),
            )
        except RevaluationError:
            return 0.0, 0.0
        value = -sum(entry.amount for entry in revalued)
        return float(units.number(quantity)), float(units.money(value))

    def _calculate(self):
        """Fill in what is there, keeping the new value or unit cost that was given."""
        books = self.revaluation_id._load(self.product_id)
        for line in self:
            book = books[line.product_id.id]
            unit_cost = line.unit_cost_revalued
            value = line.value_revalued
            quantity, before = line._calculated(book, line._rows(book))
            line.write({"quantity": quantity, "value_calculated": before})
            line.value_revalued = (
                line.currency_id.round(unit_cost * quantity) if unit_cost else value
            )

    def _write_standard_costs(self):
        """Make the unit cost after the cost of products at standard cost."""
        for product, lines in self.grouped("product_id").items():
            product = product.with_company(lines.company_id)
            quantity = sum(lines.mapped("quantity"))
            if product.cost_method == "standard" and quantity:
                value = sum(lines.mapped("value_revalued"))
                product.standard_price = value / quantity

    def _prepare_statements(self, book):
        """Return the statements that bring the entries to the line's new value."""
        self.ensure_one()
        units = Units(self.currency_id)
        rows = self._rows(book)
        quantity = float(units.number(sum(part for _entry, part in rows)))
        if round(quantity - self.quantity, 6):
            raise UserError(
                self.env._(
                    "%(quantity)s of %(product)s were left on %(date)s when the line "
                    "was calculated, and %(now)s are now. Calculate the inventory "
                    "value again.",
                    quantity=self.quantity,
                    product=self.product_id.display_name,
                    date=format_date(self.env, self.revaluation_id.date),
                    now=quantity,
                )
            )
        try:
            revalued = revalue(
                rows,
                value=units.amount(self.value_revalued),
                balance=self._average_balance(book),
                reversals=reversals_of(book.entries.values()),
            )
        except RevaluationError as error:
            raise UserError(
                self.env._(
                    "Nothing of %(product)s is left to revalue on %(date)s: only "
                    "stock that is completely billed counts.",
                    product=self.product_id.display_name,
                    date=format_date(self.env, self.revaluation_id.date),
                )
            ) from error
        return [
            self._prepare_statement(book, entry, units)
            for entry in revalued
            if entry.amount
        ]

    def _prepare_statement(self, book, revalued, units):
        """Return the statement of one entry's revaluation; a hook."""
        document = self.revaluation_id
        entry = book.entries[revalued.entry_id]
        return {
            "source_id": self.id,
            "source_ref": document.name,
            "document_ref": document.name,
            "document_date": document.date,
            "ledger_entry_id": revalued.entry_id,
            "entry_type": "revaluation",
            "cost_amount_actual": float(
                units.money(revalued.amount - revalued.expected)
            ),
            "cost_amount_expected": float(units.money(revalued.expected)),
            "expected": bool(revalued.expected) and not entry.invoiced,
            "valued_quantity": float(units.number(revalued.quantity)),
            "partial_revaluation": revalued.partial,
            "posting_date": document.date,
            "valuation_date": max(document.date, entry.valuation_date),
        }
