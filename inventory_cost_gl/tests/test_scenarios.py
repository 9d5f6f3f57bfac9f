from pathlib import Path

from odoo.tests import tagged

from .costing.scenario_player import Differs, load, unsupported_steps
from .scenario_documents import ScenarioDocuments, ScenarioDocumentsCase

FOLDER = Path(__file__).parent / "scenarios"
# Random histories without landed costs that between them have every costing method;
# tools/scenarios plays all of them.
FUZZ = (
    "fuzz-20260-4",
    "fuzz-20260-13",
    "fuzz-20260-18",
    "fuzz-20260-35",
    "fuzz-20260-37",
)
PRODUCTION = {"production_order", "consumption", "capacity", "output", "finish_order"}


@tagged("post_install", "-at_install")
class TestScenarios(ScenarioDocumentsCase):
    """The shared scenarios through Odoo's documents."""

    def unsupported(self, scenario):
        """Return the kinds of steps that no document of this database plays."""
        unsupported = unsupported_steps(scenario, ScenarioDocuments)
        kinds = {step["do"] for step in scenario["steps"]}
        if "stock.landed.cost" not in self.env:
            unsupported |= kinds & {"item_charge"}
        return unsupported

    def play_all(self, paths):
        """Play scenarios, each on its own; return how many could be played."""
        played = 0
        for path in paths:
            scenario = load(path)
            if self.unsupported(scenario):
                continue
            played += 1
            with self.subTest(path.stem):
                self.play(scenario)
        return played

    def test_cases(self):
        played = self.play_all(sorted(FOLDER.glob("cases/*.json")))
        self.assertGreaterEqual(played, 34)

    def test_random_histories(self):
        played = self.play_all(FOLDER / "fuzz" / f"{name}.json" for name in FUZZ)
        self.assertEqual(played, len(FUZZ))

    def test_production_alone_is_unsupported(self):
        for path in FOLDER.glob("*/*.json"):
            unsupported = unsupported_steps(load(path), ScenarioDocuments)
            self.assertLessEqual(unsupported, PRODUCTION, path.stem)

    def test_unsupported_step_fails(self):
        path = FOLDER / "cases" / "al-mfg-t21.json"
        with self.assertRaisesRegex(Differs, "unsupported step"):
            self.play(load(path))

    def test_other_figures_are_noticed(self):
        scenario = load(FOLDER / "cases" / "costing-fifo.json")
        expected = [step for step in scenario["steps"] if step["do"] == "expect"]
        entries = expected[-1]["entries"]
        ref = next(iter(entries))
        entries[ref]["actual"] += 1
        with self.assertRaisesRegex(Differs, f"{ref} actual is"):
            self.play(scenario)

    def test_step_that_should_be_refused(self):
        scenario = load(FOLDER / "cases" / "costing-fifo.json")
        scenario["steps"][0]["fails"] = True
        with self.assertRaisesRegex(Differs, "should have been refused"):
            self.play(scenario)

    def test_nothing_is_left_behind(self):
        ledger = self.env["stock.ledger.entry"]
        before = ledger.search_count([])
        self.play(load(FOLDER / "cases" / "costing-fifo.json"))
        self.assertEqual(ledger.search_count([]), before)
