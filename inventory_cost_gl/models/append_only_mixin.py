from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL


class AppendOnlyMixin(models.AbstractModel):
    """Rows that are recorded once and never change.

    PostgreSQL itself refuses UPDATE, DELETE and TRUNCATE, so that RPC, sudo, imports
    and plain SQL are refused alike. A model that has a few columns which move by rule
    names them in ``_changing_columns``; only those can be updated.

    Each ledger says ``_log_access = False`` itself, for it is not inherited: deleting a
    user would otherwise have to change the rows that name them.

    Migrations lift the triggers in one place: ``_lift_append_only``.
    """

    _name = "inventory.append.only.mixin"
    _description = "Append-only ledger"
    _changing_columns = ()

    def init(self):
        """Create the triggers; runs at every install and update of the addon."""
        super().init()
        if self._abstract:
            return
        self.env.cr.execute(
            """
            CREATE OR REPLACE FUNCTION inventory_cost_append_only() RETURNS trigger
            LANGUAGE plpgsql AS $$
            BEGIN
                IF current_setting('inventory_cost_gl.migration', true)
                   = TG_TABLE_NAME THEN
                    RETURN COALESCE(NEW, OLD);
                END IF;
                IF TG_OP = 'UPDATE' THEN
                    IF to_jsonb(NEW) - TG_ARGV = to_jsonb(OLD) - TG_ARGV THEN
                        RETURN NEW;
                    END IF;
                END IF;
                RAISE EXCEPTION '% on % refused: recorded entries are never changed '
                    'or deleted. Record a correcting entry instead.',
                    TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
            END $$
            """
        )
        columns = SQL(", ").join(map(SQL, map(repr, self._changing_columns)))
        table = SQL.identifier(self._table)
        for name, event, level in (
            ("append_only_row", "UPDATE OR DELETE", "ROW"),
            ("append_only_truncate", "TRUNCATE", "STATEMENT"),
        ):
            self.env.cr.execute(
                SQL(
                    "CREATE OR REPLACE TRIGGER %s BEFORE %s ON %s FOR EACH %s "
                    "EXECUTE FUNCTION inventory_cost_append_only(%s)",
                    SQL.identifier(name),
                    SQL(event),
                    table,
                    SQL(level),
                    columns,
                )
            )

    @api.private
    def _lift_append_only(self, reason):
        """Let this transaction change the table's rows; for migrations only.

        The reason is logged with the table's name. The lift ends with the transaction.
        Totals of the rows as they were are dropped.
        """
        self.env.cr.execute(
            "SELECT set_config('inventory_cost_gl.migration', %s, true)", [self._table]
        )
        self.env["stock.value.entry.block"]._forget()
        self.env["ir.logging"].sudo().create(
            {
                "name": "inventory_cost_gl",
                "type": "server",
                "level": "INFO",
                "dbname": self.env.cr.dbname,
                "message": f"Append-only ledger {self._table} lifted: {reason}",
                "path": __name__,
                "func": "_lift_append_only",
                "line": "0",
            }
        )

    def write(self, vals):
        """Refuse changes of anything but the columns that move by rule."""
        if not set(vals) <= set(self._changing_columns):
            raise UserError(self._append_only_message())
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self._append_only_message())

    def _append_only_message(self):
        return self.env._(
            "%(ledger)s are never changed or deleted. Correct the document they come "
            "from, or post a revaluation: the ledger then records the difference.",
            ledger=self._description,
        )
