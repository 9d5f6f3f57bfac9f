from . import account_move
from . import inventory_period
from . import stock_landed_cost
from . import stock_ledger_entry
from . import stock_valuation_adjustment_lines
from . import stock_value_entry
