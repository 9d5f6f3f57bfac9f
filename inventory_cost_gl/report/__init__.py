from . import inventory_gl_reconciliation
