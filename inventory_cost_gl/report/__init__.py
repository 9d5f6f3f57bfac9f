from . import stock_value_entry_block
from . import inventory_gl_reconciliation
from . import inventory_gl_reconciliation_records
from . import inventory_not_invoiced
from . import inventory_cost_post_rows
from . import inventory_cost_post_xlsx
