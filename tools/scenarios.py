"""Plays scenario files through Odoo's documents, for tools/scenarios, in Odoo's shell.

One line per file, ``ok ID`` or ``FAIL ID: what differs``, at the end ``N passed,
M failed``. Exit status 1 if any failed. The folder is the variable ``SCENARIOS``.
"""

import logging
import os
import sys
from pathlib import Path

from odoo.tests.result import OdooTestResult
from odoo.tests.suite import OdooSuite
from odoo.tools import mute_logger

from odoo.addons.inventory_cost_gl.tests.costing.scenario_player import Differs, load
from odoo.addons.inventory_cost_gl.tests.scenario_documents import (
    ScenarioDocumentsCase,
)

_logger = logging.getLogger("scenarios")


class Scenarios(ScenarioDocumentsCase):
    """Plays the files of a folder in turn."""

    def play_folder(self):
        """Play every scenario under the folder; set ``failed``."""
        files = sorted(Path(os.environ["SCENARIOS"]).rglob("*.json"))
        self.failed = 0
        for path in files:
            differs = self.failure(path)
            self.failed += differs is not None
            line = f"FAIL {path.stem}: {differs}" if differs else f"ok {path.stem}"
            print(line, flush=True)
        print(f"{len(files) - self.failed} passed, {self.failed} failed")

    def failure(self, path):
        """What differs in a scenario file, None if nothing does."""
        try:
            with mute_logger("odoo.sql_db"):
                self.play(load(path))
        except (Differs, ValueError) as error:
            # what a scenario does wrong fails its own file, not the run
            _logger.info("%s failed", path.stem, exc_info=error.__cause__)
            return " ".join(str(error).split())
        return None


scenarios, result = Scenarios("play_folder"), OdooTestResult()
OdooSuite([scenarios]).run(result)
sys.exit(0 if result.wasSuccessful() and not scenarios.failed else 1)
