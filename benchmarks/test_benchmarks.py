"""``make bench`` on very little data: every line is there, and well-formed."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from odoo import sql_db
from odoo.tests.common import get_db_name

from .database import administer, drop

BENCH = Path(__file__).parent.parent / "tools" / "bench"
# How the lines begin, in order, without the sizes.
LINES = [
    "Adjust Cost: ",
    *["Adjust Cost after one late bill, "] * 4,
    *["Validate a delivery, "] * 14,
    "Post per posting group and day: ",
    "Post per document: ",
    "Post per entry: ",
    "Post per entry: journal items per second",
    "Valuation at any date: ",
    "Reconciliation with causes: ",
    "Totals for the reconciliation, by night: ",
    "Reconciliation, first page of the list: ",
    "Reconciliation, pivot by role: ",
    "Waiting of deliveries while a worker adjusts: ",
]


class TestBenchmarks(unittest.TestCase):
    """The command as a user runs it, on a copy of the tests' database."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.template = f"{get_db_name()[:40]}-bench"
        sql_db.close_db(get_db_name())
        drop(cls.template)
        administer("CREATE DATABASE {} TEMPLATE {}", cls.template, get_db_name())
        cls.addClassCleanup(drop, cls.template)
        with tempfile.TemporaryDirectory() as folder:
            cls.file = Path(folder) / "bench.json"
            cls.said = subprocess.run(
                [BENCH],
                env=os.environ
                | {
                    "SCALE": "0.002",
                    "BENCH_TEMPLATE": cls.template,
                    "BENCH_JSON": str(cls.file),
                },
                capture_output=True,
                text=True,
            )
            cls.lines = json.loads(cls.file.read_text())

    def test_it_runs(self):
        self.assertEqual(self.said.returncode, 0, self.said.stderr)

    def test_every_line_is_there(self):
        names = [line["name"] for line in self.lines]
        # Small scales have fewer sizes of history.
        self.assertEqual(len(names), len(LINES), names)
        for name, begins in zip(names, LINES, strict=True):
            self.assertTrue(name.startswith(begins), f"{name} is not {begins}")

    def test_lines_are_well_formed(self):
        for line in self.lines:
            with self.subTest(line["name"]):
                self.assertEqual(
                    list(line),
                    [
                        "name",
                        "seconds",
                        "ratio",
                        "ratio_to",
                        "peak_mib",
                        "bar",
                        "holds",
                    ],
                )
                self.assertGreaterEqual(line["seconds"], 0)
                self.assertGreaterEqual(line["ratio"], 0)
                self.assertTrue(line["ratio_to"])
                self.assertGreater(line["peak_mib"], 50)
                self.assertEqual(line["holds"] is None, not line["bar"])

    def test_the_table_has_the_lines(self):
        for line in self.lines:
            self.assertIn(line["name"], self.said.stdout)


if __name__ == "__main__":
    unittest.main()
