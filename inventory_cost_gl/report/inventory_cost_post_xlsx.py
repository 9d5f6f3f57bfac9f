import io
from datetime import date

import xlsxwriter

from odoo import models

# What a sheet of the format holds; a longer list goes on in another sheet.
ROWS_OF_A_SHEET = 1_000_000


class InventoryCostRunPostXlsx(models.Model):
    """*Post Inventory Cost to G/L* as a spreadsheet: real numbers and dates."""

    _inherit = "inventory.cost.run"

    def _posting_xlsx(self):
        """Return the content of the spreadsheet; the reader's rights are checked."""
        self.ensure_one()
        self._check_posting_report()
        content = io.BytesIO()
        workbook = xlsxwriter.Workbook(
            content, {"constant_memory": True, "strings_to_formulas": False}
        )
        sheets = _Sheets(workbook, self.sudo().currency_id)
        title, status = self._posting_report_title()
        sheets.start(self.env._("Run"), [self.env._("Report"), title], [22, 60])
        sheets.add([self.env._("Status"), status])
        for what, value in self._posting_report_filters():
            sheets.add([what, value])
        self._write_postings(sheets)
        self._write_skipped(sheets, self.env._("Skipped Entries"), warning=False)
        if self.mode == "test":
            self._write_skipped(sheets, self.env._("Warnings"), warning=True)
        workbook.close()
        return content.getvalue()

    def _write_postings(self, sheets):
        """Write a row for each line pair, and the totals."""
        env, classes = self.env, self._posting_classes()
        headings = {
            env._("Posting Date"): 12,
            env._("Journal Entry Date"): 12,
            env._("Document"): 20,
            env._("Product"): 30,
            env._("Type"): 34,
            env._("Expected Cost"): 10,
            env._("Cost Location"): 18,
            env._("Inventory Posting Group"): 12,
            env._("Business Posting Group"): 12,
            env._("Product Posting Group"): 12,
            env._("Value Entries"): 10,
            **dict.fromkeys(classes.values(), 16),
        }
        sheets.start(env._("Journal Items"), list(headings), headings.values())
        for row in self._posting_rows():
            sheets.add(
                [
                    row.posting_date,
                    row.date,
                    row.document,
                    row.product,
                    row.type,
                    env._("Yes") if row.expected else "",
                    row.cost_location,
                    row.inventory_group,
                    row.business_group,
                    row.product_group,
                    row.value_entries,
                    *(sheets.money(row.amounts.get(name)) for name in classes),
                ]
            )
        totals = self._posting_totals()
        blank = [""] * (len(headings) - len(classes) - 1)
        sheets.add(
            [
                env._("Total"),
                *blank,
                *(sheets.money(totals.get(name, 0.0)) for name in classes),
            ],
            bold=True,
        )

    def _write_skipped(self, sheets, name, warning):
        """Write a row for each value entry and reason."""
        env = self.env
        headings = {
            env._("Product"): 30,
            env._("Value Entry"): 11,
            env._("Type"): 34,
            env._("Document"): 20,
            env._("Source"): 20,
            env._("Posting Date"): 12,
            env._("Cost Location"): 18,
            env._("Inventory / Business / Product Group"): 30,
            env._("Expected"): 10,
            env._("Cost Amount (Expected)"): 16,
            env._("Cost Amount (Actual)"): 16,
            env._("Reason"): 100,
        }
        sheets.start(name, list(headings), headings.values())
        for row in self._skipped_rows(warning):
            entry = row.entry
            for reason in row.reasons:
                sheets.add(
                    [
                        row.product,
                        entry.id,
                        row.type,
                        entry.document_ref or "",
                        entry.source_ref or "",
                        entry.posting_date,
                        row.cost_location,
                        row.groups,
                        env._("Yes") if entry.expected else "",
                        sheets.money(entry.cost_amount_expected),
                        sheets.money(entry.cost_amount_actual),
                        reason,
                    ]
                )


class _Money(float):
    """A number that is an amount: it gets the currency's decimals."""


class _Sheets:
    """Writes the rows of a workbook one after the other."""

    def __init__(self, workbook, currency):
        decimals = (
            "." + "0" * currency.decimal_places if currency.decimal_places else ""
        )
        money = {"num_format": f"#,##0{decimals};[Red]-#,##0{decimals}"}
        day = {"num_format": "yyyy-mm-dd", "align": "left"}
        self.workbook = workbook
        self.head = workbook.add_format(
            {"bold": True, "text_wrap": True, "valign": "top", "bottom": 1}
        )
        self.formats = {
            bold: {
                _Money: workbook.add_format({**money, "bold": bold}),
                date: workbook.add_format({**day, "bold": bold}),
                str: workbook.add_format({"bold": bold}),
                int: workbook.add_format({"bold": bold}),
            }
            for bold in (False, True)
        }

    def start(self, name, headings, widths):
        """Start a sheet whose first row stays in sight."""
        self.name, self.headings, self.widths = name, headings, list(widths)
        self.number = 0
        self.start_next()

    def start_next(self):
        """Go on in a new sheet."""
        self.number += 1
        number = f" {self.number}" if self.number > 1 else ""
        self.sheet = self.workbook.add_worksheet(f"{self.name[:28]}{number}")
        for column, width in enumerate(self.widths):
            self.sheet.set_column(column, column, width)
        self.sheet.freeze_panes(1, 0)
        self.sheet.write_row(0, 0, self.headings, self.head)
        self.row = 0

    def add(self, values, bold=False):
        """Add a row; its numbers and dates stay what they are."""
        if self.row >= ROWS_OF_A_SHEET:
            self.start_next()
        self.row += 1
        for column, value in enumerate(values):
            if value not in (None, ""):
                self.sheet.write(
                    self.row, column, value, self.formats[bold][type(value)]
                )

    @staticmethod
    def money(amount):
        """Mark a number as an amount; None stays empty."""
        return None if amount is None else _Money(amount)
