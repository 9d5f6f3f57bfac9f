from . import inventory_gl_reconciliation_wizard
from . import inventory_gl_reconciliation_wizard_line
from . import inventory_cost_post
from . import inventory_cost_run_reverse
from . import inventory_cost_setup
from . import inventory_cost_setup_account
from . import inventory_cost_setup_category
from . import inventory_cost_adjust
