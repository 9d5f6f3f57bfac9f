from odoo import fields, models

from .many2one_without_key import Many2oneWithoutKey


class StockValueEntryLink(models.Model):
    """What of a value entry stands in which journal items.

    Append-only: being posted is recorded here, never in the value entry. A reversed
    run appends a row with the negative amount.
    """

    _name = "stock.value.entry.link"
    _description = "Links between Value Entries and Journal Items"
    _inherit = "inventory.append.only.mixin"
    _log_access = False
    _order = "id"
    _rec_name = "value_entry_id"

    company_id = Many2oneWithoutKey("res.company", required=True, ondelete="restrict")
    currency_id = fields.Many2one(related="company_id.currency_id")
    value_entry_id = Many2oneWithoutKey(
        "stock.value.entry", required=True, ondelete="restrict"
    )
    kind = fields.Selection(
        [("expected", "Expected Cost"), ("actual", "Actual Cost")], required=True
    )
    amount = fields.Monetary(required=True)
    debit_line_id = Many2oneWithoutKey(
        "account.move.line", required=True, ondelete="restrict"
    )
    credit_line_id = Many2oneWithoutKey(
        "account.move.line", required=True, ondelete="restrict"
    )
    run_id = Many2oneWithoutKey("inventory.cost.run", ondelete="restrict")

    _value_entry_index = models.Index("(value_entry_id)")
    _debit_index = models.Index("(debit_line_id)")
    _credit_index = models.Index("(credit_line_id)")
    _run_index = models.Index("(run_id) WHERE run_id IS NOT NULL")

    def init(self):
        """Have PostgreSQL refuse to delete journal items that have links.

        The half of a foreign key that is needed: links are inserted with their journal
        items in one transaction, and the other half, a look at the journal items for
        every link, would take a third of the time of posting.
        """
        self.env.cr.execute(
            """
            CREATE OR REPLACE FUNCTION inventory_cost_posted_item() RETURNS trigger
            LANGUAGE plpgsql AS $$
            BEGIN
                IF EXISTS (SELECT FROM stock_value_entry_link
                            WHERE debit_line_id = OLD.id)
                OR EXISTS (SELECT FROM stock_value_entry_link
                            WHERE credit_line_id = OLD.id) THEN
                    RAISE EXCEPTION 'Journal item % has inventory cost posted to it, '
                        'and is never deleted. Reverse the run that posted it '
                        'instead.', OLD.id USING ERRCODE = 'restrict_violation';
                END IF;
                RETURN OLD;
            END $$;
            CREATE OR REPLACE TRIGGER inventory_cost_posted_item
                BEFORE DELETE ON account_move_line
                FOR EACH ROW EXECUTE FUNCTION inventory_cost_posted_item()
            """
        )
        return super().init()
