import io
from datetime import date, datetime

import openpyxl
from lxml import html

from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from ..report.inventory_cost_post_rows import ACCOUNT_CLASSES
from .posting_common import PostingCommon

GRANULARITIES = ("posting_group", "document", "entry")


class PostReportCommon(PostingCommon):
    """Value entries of several dates, documents and kinds, one of them in error."""

    def setUp(self):
        super().setUp()
        self.company.expected_cost_posting = True
        self.entries = (
            self.entry(10.0, document_ref="A")
            + self.entry(5.0, document_ref="A")
            + self.entry(-4.25, "sale", document_ref="B", date="2026-01-20")
            + self.entry(
                1.5, entry_type="variance", variance_type="purchase", document_ref="B"
            )
            + self.entry(expected_amount=7.0, document_ref="C", date="2026-02-01")
        )
        self.bad = self.entry(
            -5.0, "sale", entry_type="indirect_cost", document_ref="BAD"
        )

    def totals(self):
        """Return what the entries amount to, by account class."""
        return {
            "inventory": 10.0 + 5.0 - 4.25 + 1.5 + 7.0,
            "direct_cost_applied": -15.0,
            "cogs": 4.25,
            "purchase_variance": -1.5,
            "inventory_adjustment": -7.0,
        }

    def roles(self):
        """Return the account class of each account."""
        return {
            self.accounts[role]: name
            for name, roles in ACCOUNT_CLASSES.items()
            for role in roles
        }


@tagged("post_install", "-at_install")
class TestPostReport(PostReportCommon):
    """What *Post Inventory Cost to G/L* prints of posted runs, previews and tests."""

    def printed(self, run):
        """Return the report as HTML."""
        report = self.env.ref("inventory_cost_gl.action_report_inventory_cost_post")
        content, _kind = report._render_qweb_html(report.report_name, run.ids)
        return html.fromstring(content)

    def text(self, page):
        """Return the words of a page, with minus signs as they are typed."""
        return " ".join(page.text_content().replace("\ufeff", "").split())

    def figures(self, page, path):
        """Return ``[{account class: amount}]`` of the rows of a path."""
        return [
            {
                cell.get("data-class"): float(self.text(cell).replace(",", ""))
                for cell in row.xpath(".//td[@data-class]")
                if cell.text_content().strip()
            }
            for row in page.xpath(path)
        ]

    def test_every_role_has_a_class(self):
        classes = [role for roles in ACCOUNT_CLASSES.values() for role in roles]
        self.assertEqual(sorted(classes), sorted(self.accounts))

    def test_headings(self):
        expected = {"test": "not posted", "preview": "not posted", "post": "Posted"}
        for mode, status in expected.items():
            page = self.printed(self.post(mode))
            heading = self.text(page.xpath("//h3")[0])
            self.assertIn("Post Inventory Cost to G/L", heading)
            self.assertIn(status, heading)
            self.assertEqual("Test" in heading, mode == "test")
            text = self.text(page)
            self.assertIn("Posting Method Per Posting Group", text)
            self.assertIn("Value Entries 5", text)
            self.assertIn("Skipped Entries 1", text)

    def test_lines_and_totals(self):
        """Per line and in total debits equal credits, and the journal items."""
        for granularity, lines in zip(GRANULARITIES, (4, 4, 5), strict=True):
            for mode in ("test", "preview"):
                with self.subTest(granularity=granularity, mode=mode):
                    run = self.post(mode, granularity)
                    page = self.printed(run)
                    rows = self.figures(page, "//tr[td[@data-class]]")
                    *rows, total = rows
                    self.assertEqual(len(rows), lines)
                    for row in rows:
                        self.assertAlmostEqual(sum(row.values()), 0.0)
                    self.assertEqual(total, self.totals())
                    self.assertEqual(
                        {name: round(amount, 2) for name, amount in total.items()},
                        run._posting_totals(),
                    )
        run = self.post()
        classes = self.roles()
        posted = {}
        for line in run.journal_entry_ids.line_ids:
            name = classes[line.account_id]
            posted[name] = posted.get(name, 0.0) + line.balance
        self.assertEqual(run._posting_totals(), posted)
        self.assertEqual(run._posting_totals(), self.totals())

    def test_only_classes_with_amounts_are_printed(self):
        page = self.printed(self.post("preview"))
        heads = self.text(page.xpath("//thead")[0])
        for heading in ("COGS", "Inventory", "Purchase Variance"):
            self.assertIn(heading, heads)
        for heading in ("WIP", "Overhead Applied", "Mfg. Overhead Variance"):
            self.assertNotIn(heading, heads)

    def test_columns_of_a_group(self):
        text = self.text(self.printed(self.post("preview")))
        location = self.location.display_name
        self.assertIn(f"{location} GOODS / DOMESTIC / GOODS", text)
        self.assertIn("Inventory / Direct Cost Applied", text)
        self.assertIn("(expected)", text)

    def test_columns_of_an_entry(self):
        text = self.text(self.printed(self.post("preview", "entry")))
        self.assertIn("Purchase / Direct Cost", text)
        self.assertIn(self.fifo.display_name, text)

    def test_skipped_entries_are_at_the_end(self):
        for mode in ("test", "preview", "post"):
            page = self.printed(self.post(mode))
            titles = [self.text(title) for title in page.xpath("//h4")]
            self.assertEqual(titles, ["Skipped Entries"])
            text = self.text(page)
            self.assertIn(f"{self.fifo.display_name} {self.bad.id} Sale", text)
            self.assertIn("this combination of entry types is not posted", text)
            self.assertIn("-5.00", text)
            self.assertGreater(
                text.index("Skipped Entries Product"), text.index("Total")
            )

    def test_all_reasons_below_one_entry(self):
        self.company.fiscalyear_lock_date = "2026-01-31"
        run = self.post("test")
        [row] = [row for row in run._skipped_rows() if row.entry == self.bad]
        self.assertEqual(len(row.reasons), 2)
        page = self.printed(run)
        for reason in row.reasons:
            self.assertIn(reason, self.text(page))

    def test_warnings_of_a_test(self):
        self.accounts["inventory"].account_type = "expense"
        page = self.printed(self.post("test"))
        titles = [self.text(title) for title in page.xpath("//h4")]
        self.assertEqual(titles, ["Skipped Entries", "Warnings: posted nevertheless"])

    def test_nothing_to_post(self):
        self.post()
        text = self.text(self.printed(self.post("preview")))
        self.assertIn("No value entry would be posted.", text)

    def test_long_lists_say_that_they_are_cut(self):
        run = self.post("preview", "entry")
        type(run)._printed_lines, lines = 2, type(run)._printed_lines
        self.addCleanup(setattr, type(run), "_printed_lines", lines)
        page = self.printed(run)
        rows = self.figures(page, "//tr[td[@data-class]]")
        self.assertEqual(len(rows), 3)
        self.assertEqual(rows[-1], self.totals(), "of all lines")
        self.assertIn("The first 2 of 5 lines", self.text(page))

    def test_reversed_runs_say_so(self):
        run = self.post()
        run._reverse(date(2026, 3, 1))
        self.assertIn("reversed by", self.text(self.printed(run)))

    def test_a_reversal_is_the_run_the_other_way_round(self):
        for granularity, lines in zip(GRANULARITIES, (4, 4, 5), strict=True):
            with self.subTest(granularity=granularity):
                run = self.post("post", granularity)
                reversal = run._reverse(date(2026, 3, 1))
                action = reversal.action_print_posting()
                self.assertEqual(action["context"]["active_ids"], reversal.ids)
                page = self.printed(reversal)
                heading = self.text(page.xpath("//h3")[0])
                self.assertIn("Reversal", heading)
                self.assertIn(f"Posted, reverses {run.name}", heading)
                *rows, total = self.figures(page, "//tr[td[@data-class]]")
                self.assertEqual(len(rows), lines)
                reversed_totals = {n: -amount for n, amount in self.totals().items()}
                self.assertEqual(total, reversed_totals)
                self.assertEqual(reversal._posting_totals(), reversed_totals)
                classes = self.roles()
                posted = {}
                for line in reversal.journal_entry_ids.line_ids:
                    name = classes[line.account_id]
                    posted[name] = posted.get(name, 0.0) + line.balance
                self.assertEqual(posted, reversed_totals)
                self.assertEqual(
                    {row.date for row in reversal._posting_rows()}, {date(2026, 3, 1)}
                )
                self.assertIn("Journal Entry Date 03/01/2026", self.text(page))
                self.assertNotIn("on 03/01/2026", self.text(page), "once is enough")
                if granularity != "entry":
                    self.assertIn("Direct Cost Applied / Inventory", self.text(page))

    def test_printing_asks_for_no_document_layout(self):
        """The report has none: administrators print at once, as others do."""
        self.company.external_report_layout_id = False
        action = self.post("preview").with_user(self.env.ref("base.user_root"))
        action = action.with_company(self.company).action_print_posting()
        self.assertEqual(action["type"], "ir.actions.report")

    def test_other_runs_are_refused(self):
        run = self.runs.create({"company_id": self.company.id, "kind": "adjust"})
        with self.assertRaisesRegex(UserError, "no run of Post Inventory Cost"):
            run._check_posting_report()

    @mute_logger("odoo.addons.base.models.ir_actions_report")
    def test_pdf(self):
        """wkhtmltopdf makes a page of it, in landscape."""
        report = self.env.ref("inventory_cost_gl.action_report_inventory_cost_post")
        run = self.post("preview")
        content, kind = report.with_context(
            force_report_rendering=True
        )._render_qweb_pdf(report.report_name, run.ids)
        self.assertEqual(kind, "pdf")
        self.assertTrue(content.startswith(b"%PDF"))

    def test_rows_are_read_in_batches(self):
        run = self.post("preview", "entry")
        module = "odoo.addons.inventory_cost_gl.report.inventory_cost_post_rows"
        whole = list(run._posting_rows())
        self.patch(__import__(module, fromlist=["_"]), "LINES_AT_ONCE", 2)
        self.assertEqual(list(run._posting_rows()), whole)
        self.assertEqual(list(run._posting_rows(3)), whole[:3])
        self.assertEqual(len(whole), 5)


@tagged("post_install", "-at_install")
class TestPostExport(PostReportCommon, HttpCase):
    """The spreadsheet: the same figures as numbers, for those who may read the run."""

    def download(self, run, user=None):
        """Return the response to the download as a user."""
        user = user or self.user_with("group_user")
        user.password = user.login
        self.env.flush_all()
        self.authenticate(user.login, user.login)
        return self.url_open(run.action_export_posting()["url"])

    def workbook(self, run):
        """Return the spreadsheet as openpyxl reads it."""
        return openpyxl.load_workbook(io.BytesIO(run._posting_xlsx()))

    def table(self, sheet):
        """Return the rows below the head as dictionaries."""
        head, *rows = sheet.iter_rows(values_only=True)
        return [dict(zip(head, row, strict=True)) for row in rows]

    def test_figures(self):
        run = self.post("test", "entry")
        book = self.workbook(run)
        self.assertEqual(
            book.sheetnames, ["Run", "Journal Items", "Skipped Entries", "Warnings"]
        )
        *rows, total = self.table(book["Journal Items"])
        self.assertEqual(len(rows), 5)
        first = rows[0]
        self.assertEqual(first["Posting Date"], datetime(2026, 1, 15))
        self.assertEqual(first["Inventory"], 10.0)
        self.assertIsInstance(first["Inventory"], int | float)
        self.assertEqual(first["Direct Cost Applied"], -10.0)
        self.assertEqual(first["Type"], "Purchase / Direct Cost")
        self.assertEqual(first["Inventory Posting Group"], "GOODS")
        headings = run._posting_classes()
        self.assertEqual(
            {headings[name]: amount for name, amount in self.totals().items()},
            {name: total[name] for name in headings.values() if total[name]},
        )

    def test_skipped_entries(self):
        book = self.workbook(self.post("test"))
        [row] = self.table(book["Skipped Entries"])
        self.assertEqual(row["Value Entry"], self.bad.id)
        self.assertEqual(row["Cost Amount (Actual)"], -5.0)
        self.assertEqual(row["Posting Date"], datetime(2026, 1, 15))
        self.assertIn("this combination", row["Reason"])

    def test_heads_stay_in_sight(self):
        book = self.workbook(self.post("preview"))
        self.assertEqual({sheet.freeze_panes for sheet in book}, {"A2"})
        sheet = book["Journal Items"]
        cell = sheet.cell(2, sheet.max_column)
        self.assertIn("0.00", cell.number_format)

    def test_run_sheet(self):
        cells = dict(self.workbook(self.post("preview"))["Run"].values)
        self.assertEqual(cells["Status"], "Preview (not posted)")
        self.assertEqual(cells["Posting Method"], "Per Posting Group")

    def test_a_reversal(self):
        run = self.post()
        reversal = run._reverse(date(2026, 3, 1))
        book = self.workbook(reversal)
        *_rows, total = self.table(book["Journal Items"])
        self.assertEqual(total["Inventory"], -self.totals()["inventory"])
        self.assertIn(run.name, dict(book["Run"].values)["Status"])
        self.assertEqual(self.download(reversal).status_code, 200)

    def test_names_are_no_formulas(self):
        self.fifo.name = "=1+1"
        book = self.workbook(self.post("preview", "entry"))
        [row, *_rows] = self.table(book["Journal Items"])
        self.assertEqual(row["Product"], "=1+1")
        self.assertEqual(book["Journal Items"]["D2"].data_type, "s")

    def test_long_lists_go_on_in_another_sheet(self):
        run = self.post("preview", "entry")
        module = "odoo.addons.inventory_cost_gl.report.inventory_cost_post_xlsx"
        self.patch(__import__(module, fromlist=["_"]), "ROWS_OF_A_SHEET", 4)
        book = self.workbook(run)
        self.assertIn("Journal Items 2", book.sheetnames)
        rows = self.table(book["Journal Items"]) + self.table(book["Journal Items 2"])
        self.assertEqual(len(rows), 6)

    def test_download(self):
        run = self.post("preview")
        response = self.download(run)
        self.assertEqual(response.status_code, 200)
        self.assertIn("spreadsheetml", response.headers["Content-Type"])
        self.assertIn(".xlsx", response.headers["Content-Disposition"])
        self.assertIn("Run", openpyxl.load_workbook(io.BytesIO(response.content)))

    @mute_logger("odoo.http")
    def test_without_rights(self):
        run = self.post("preview")
        with self.assertRaises(AccessError):
            run.with_user(self.user_with("base.group_user"))._posting_xlsx()
        outsider = self.user_with("base.group_user")
        self.assertIn(self.download(run, outsider).status_code, (403, 404))

    @mute_logger("odoo.http")
    def test_another_company(self):
        run = self.post("preview")
        other = self.make_company("Other Company")
        user = self.user_with("group_user", company=other)
        with self.assertRaises(AccessError):
            self.as_user(run, user)._posting_xlsx()
        self.assertEqual(self.download(run, user).status_code, 404)
