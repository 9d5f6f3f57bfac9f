from . import inventory_gl_reconciliation
from . import inventory_gl_reconciliation_records
