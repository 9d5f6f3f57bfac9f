from contextlib import contextmanager

from psycopg2.errors import SerializationFailure

from odoo import fields, models
from odoo.tools import SQL

AVERAGE_SETTINGS = {"average_cost_calc_type", "average_cost_period"}


class ResCompany(models.Model):
    """A changed average cost setting counts from the first open day on."""

    _inherit = "res.company"

    average_cost_since = fields.Date(
        string="Average Cost Setting Counts From",
        readonly=True,
        copy=False,
        help="The first open day when the setting was changed. Cost of earlier days is "
        "adjusted by the setting of those days.",
    )

    @contextmanager
    def _guard_average(self, vals):
        """Recalculate average cost where the body changes how it is worked out."""
        changed = self.filtered(
            lambda company: any(
                company._differs(field, vals)
                for field in AVERAGE_SETTINGS & vals.keys()
            )
        )._with_value_entries()
        before = {
            company: {field: company[field] for field in AVERAGE_SETTINGS}
            for company in changed
        }
        yield
        for company, values in before.items():
            company.sudo()._begin_average_setting(values)

    def _begin_average_setting(self, before):
        """Let the setting just written count from the first open day on.

        ``before``: the values of the setting that ends. What is closed stays as it is.
        Every average product is queued from that day. The caller holds the guard.
        """
        self.ensure_one()
        self._refuse_older_snapshot()
        settings = self.env["inventory.average.setting"]
        if not settings.search_count([("company_id", "=", self.id)], limit=1):
            settings.create({"company_id": self.id, "user_id": False, **before})
        counted = [setting.id for setting in settings._in_force(self)]
        first_open = self.env["inventory.period"]._earliest_open_date(self)
        new = settings.create(
            {
                "company_id": self.id,
                "date_from": first_open,
                **{field: self[field] for field in AVERAGE_SETTINGS},
            }
        )
        self.average_cost_since = first_open
        *earlier, _new = settings._in_force(self)
        ended = set(counted) - {setting.id for setting in earlier}
        settings.browse(ended)._take_back_pools()
        products = self._average_products()
        if earlier:
            new._divide_pools(earlier[-1], products)
        self._queue_average(products, first_open)

    def _refuse_older_snapshot(self):
        """Start again if a document the guard waited for is not seen yet.

        Odoo repeats the request on a serialization failure, then with its entries.
        """
        newest = (
            "SELECT COALESCE(max(id), 0) FROM stock_value_entry WHERE company_id = %s"
        )
        [[seen]] = self.env.execute_query(SQL(newest, self.id))
        with self.env.registry.cursor() as cr:
            cr.execute(newest, [self.id])
            [recorded] = cr.fetchone()
        if recorded > seen:
            raise SerializationFailure()

    def _average_products(self):
        """Return the products valued by average that have ledger entries."""
        self.ensure_one()
        items = self.env["stock.cost.item"].sudo()
        items = items.search([("company_id", "=", self.id)])
        average = items.filtered(lambda item: item._is_average()).product_id
        return average._with_ledger_entries(self).get(self, average.browse())

    def _queue_average(self, products, day):
        """Queue products from their first value entry valued on a day or later."""
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO stock_cost_queue (company_id, product_id, valuation_date,
                                              value_entry_id, counted, recorded_at)
                SELECT DISTINCT ON (v.product_id) v.company_id, v.product_id,
                       v.valuation_date, v.id, true, now() AT TIME ZONE 'UTC'
                FROM stock_value_entry v
                WHERE v.company_id = %s AND v.product_id = ANY(%s)
                  AND (%s::date IS NULL OR v.valuation_date >= %s::date)
                ORDER BY v.product_id, v.valuation_date, v.id
                """,
                self.id,
                products.ids,
                day,
                day,
            )
        )
        self.env["stock.cost.queue"]._trigger_workers()

    def _average_settings(self):
        """Return the ``AverageSetting`` rows that count, oldest first.

        Nothing, and no query, where it was never changed between closed days and open
        ones.
        """
        self.ensure_one()
        if not self.average_cost_since:
            return []
        return self.env["inventory.average.setting"]._in_force(self)
