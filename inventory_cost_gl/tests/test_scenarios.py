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
# No document of this addon makes production orders: these fail, and only these.
PRODUCTION = {"production_order", "consumption", "capacity", "output", "finish_order"}
UNSUPPORTED = {
    "al-mfg-t21",
    "al-mfg-t24",
    "al-tcs-1-3-production",
    "fuzz-20260-1",
    "fuzz-20260-17",
    "fuzz-20260-2",
    "fuzz-20260-21",
    "fuzz-20260-29",
    "fuzz-20260-38",
    "fuzz-20260-39",
    "fuzz-20260-8",
    "recon-1-6-full",
    "reval-wip-transition",
}


@tagged("post_install", "-at_install")
class TestScenarios(ScenarioDocumentsCase):
    """The shared scenarios through Odoo's documents."""

    def play_all(self, paths):
        """Play scenarios, each on its own; return how many were played.

        Those that are listed as unsupported have to fail. Item charges are landed
        costs, which another addon brings.
        """
        played = 0
        for path in paths:
            scenario = load(path)
            charged = any(step["do"] == "item_charge" for step in scenario["steps"])
            if path.stem in UNSUPPORTED:
                with self.subTest(path.stem):
                    self.play_unsupported(scenario)
            elif not charged or "stock.landed.cost" in self.env:
                played += 1
                with self.subTest(path.stem):
                    self.play(scenario)
        return played

    def play_unsupported(self, scenario):
        """Play a scenario that names its first production step as unsupported."""
        kinds = [step["do"] for step in scenario["steps"]]
        number = next(n for n, kind in enumerate(kinds, 1) if kind in PRODUCTION)
        message = rf"^step {number} {kinds[number - 1]}\b.*: unsupported step$"
        with self.assertRaisesRegex(Differs, message):
            self.play(scenario)

    def test_cases(self):
        played = self.play_all(sorted(FOLDER.glob("cases/*.json")))
        self.assertGreaterEqual(played, 34)

    def test_steps_and_fields(self):
        played = self.play_all(sorted(FOLDER.glob("steps/*.json")))
        self.assertGreaterEqual(played, 12)

    def test_random_histories(self):
        played = self.play_all(FOLDER / "fuzz" / f"{name}.json" for name in FUZZ)
        self.assertEqual(played, len(FUZZ))

    def test_production_alone_is_unsupported(self):
        unsupported = set()
        for path in FOLDER.glob("*/*.json"):
            kinds = unsupported_steps(load(path), ScenarioDocuments)
            self.assertLessEqual(kinds, PRODUCTION, path.stem)
            if kinds:
                unsupported.add(path.stem)
        self.assertEqual(unsupported, UNSUPPORTED)

    def test_unsupported_step_fails_before_anything_is_done(self):
        scenario = load(FOLDER / "cases" / "costing-fifo.json")
        steps = scenario["steps"]
        steps.append({"do": "finish_order", "date": steps[-1]["date"], "order": "M"})
        steps[0]["fails"] = True
        with self.assertRaisesRegex(Differs, rf"step {len(steps)} finish_order: unsup"):
            self.play(scenario)

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
