from odoo import models
from odoo.tools import SQL

# One look at the earliest date of all rows of a statement: its cost does not grow with
# them, and a document's is not felt.
_REFUSE = """
    CREATE OR REPLACE FUNCTION inventory_cost_closed_period() RETURNS trigger
    LANGUAGE plpgsql AS $$
    DECLARE
        closed record;
    BEGIN
        IF current_setting('inventory_cost_gl.migration', true) = TG_TABLE_NAME THEN
            RETURN NULL;
        END IF;
        SELECT earliest.posting_date, period.ending_date INTO closed
          FROM (SELECT company_id, min(posting_date) AS posting_date
                  FROM recorded GROUP BY company_id) earliest
          JOIN inventory_period period
            ON period.company_id = earliest.company_id AND period.closed
           AND period.ending_date >= earliest.posting_date
         LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'INSERT on % refused: % lies in a period that is '
                'closed until %. Record it on a later date, or open the period again.',
                TG_TABLE_NAME, closed.posting_date, closed.ending_date
                USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NULL;
    END $$
"""


class ClosedPeriodMixin(models.AbstractModel):
    """Ledgers into whose closed periods PostgreSQL itself lets nothing in.

    Documents are refused with their name long before; this is for every other way: RPC,
    imports, other addons and plain SQL.
    """

    _name = "inventory.closed.period.mixin"
    _description = "Ledger with Closed Periods"

    def init(self):
        """Create the trigger; runs at every install and update of the addon."""
        super().init()
        if self._abstract:
            return
        self.env.cr.execute(_REFUSE)
        self.env.cr.execute(
            SQL(
                "CREATE OR REPLACE TRIGGER closed_period AFTER INSERT ON %s "
                "REFERENCING NEW TABLE AS recorded FOR EACH STATEMENT "
                "EXECUTE FUNCTION inventory_cost_closed_period()",
                SQL.identifier(self._table),
            )
        )


class StockLedgerEntry(models.Model):
    """No quantity is recorded in a closed period."""

    _name = "stock.ledger.entry"
    _inherit = ["stock.ledger.entry", "inventory.closed.period.mixin"]


class StockValueEntry(models.Model):
    """No cost is recorded in a closed period."""

    _name = "stock.value.entry"
    _inherit = ["stock.value.entry", "inventory.closed.period.mixin"]
