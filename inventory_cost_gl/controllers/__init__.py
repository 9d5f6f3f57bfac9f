from . import inventory_cost_run
