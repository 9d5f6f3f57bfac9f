from pathlib import Path

from odoo.tests import tagged

from odoo.addons.inventory_cost_gl import tests
from odoo.addons.inventory_cost_gl.tests.costing.scenario_player import (
    load,
    unsupported_steps,
)
from odoo.addons.inventory_cost_gl.tests.scenario_documents import (
    ScenarioDocuments,
    ScenarioDocumentsCase,
)

FOLDER = Path(tests.__file__).parent / "scenarios"
# Random histories that charge fixed, average and returned receipts.
FUZZ = ("fuzz-20260-20", "fuzz-20260-22", "fuzz-20260-33")


@tagged("post_install", "-at_install")
class TestLandedCostScenarios(ScenarioDocumentsCase):
    """The shared scenarios with item charges, which are landed costs here."""

    def test_scenarios_with_item_charges(self):
        paths = [
            *sorted(FOLDER.glob("cases/*.json")),
            *sorted(FOLDER.glob("steps/*.json")),
            *(FOLDER / "fuzz" / f"{name}.json" for name in FUZZ),
        ]
        played = 0
        for path in paths:
            scenario = load(path)
            charged = any(step["do"] == "item_charge" for step in scenario["steps"])
            if charged and not unsupported_steps(scenario, ScenarioDocuments):
                played += 1
                with self.subTest(path.stem):
                    self.play(scenario)
        self.assertGreaterEqual(played, 17)
