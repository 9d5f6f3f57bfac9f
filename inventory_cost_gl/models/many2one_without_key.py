from odoo import fields
from odoo.tools import sql


class Many2oneWithoutKey(fields.Many2one):
    """A many2one without a foreign key in the database.

    For columns of append-only tables that name rows which are never deleted either, or
    that a key of the ledger entry or a trigger keeps: PostgreSQL would look up and lock
    each of them again for every row that is inserted. The nightly checks look instead
    (``keys``).
    """

    def update_db_foreign_key(self, model, column):
        """Add no foreign key; drop the one of an earlier version."""
        comodel = model.env[self.comodel_name]
        for on_delete in ("set null", "restrict", "cascade"):
            for name in sql.get_foreign_keys(
                model.env.cr,
                model._table,
                self.name,
                comodel._table,
                "id",
                on_delete,
            ):
                sql.drop_constraint(model.env.cr, model._table, name)
