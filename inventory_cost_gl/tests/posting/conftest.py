"""The rules of posting need no Odoo: their package is found beside the addon's."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
