"""Between the ledgers' tables and the cost rules of ``costing``."""
