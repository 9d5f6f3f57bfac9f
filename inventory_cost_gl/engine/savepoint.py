"""Work that gives way to other transactions."""

from psycopg2.errors import LockNotAvailable, SerializationFailure

from odoo.tools import SQL


def execute_unless_busy(cr, query):
    """Execute in a savepoint that is set in the same round trip; return the rows.

    None when another transaction is in the way: then nothing was done.
    """
    rows = None
    try:
        cr.execute(SQL("SAVEPOINT inventory_cost; %s", query), log_exceptions=False)
        rows = cr.fetchall() if cr.description else []
    except (SerializationFailure, LockNotAvailable):
        cr.execute("ROLLBACK TO SAVEPOINT inventory_cost")
    cr.execute("RELEASE SAVEPOINT inventory_cost")
    return rows
