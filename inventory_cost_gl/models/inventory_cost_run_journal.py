from decimal import Decimal

from odoo import Command, models, tools
from odoo.exceptions import UserError
from odoo.tools import SQL, format_date

from ..posting.grouping import ENTRY, POSTING_GROUP

# What account.move may leave out for entries that are complete and balanced already.
# The validity of posted entries is checked nevertheless, by posting.
JOURNAL_ENTRY_CONTEXT = {
    "tracking_disable": True,
    "mail_create_nolog": True,
    "mail_notrack": True,
    "skip_invoice_sync": True,
    "validate_analytic": False,
}


def pg_array(values):
    """Return integers as a PostgreSQL array in text: quick to parse, unlike ARRAY[]."""
    return f"{{{','.join(map(str, values))}}}"


class InventoryCostRunJournal(models.Model):
    """The journal entries of a run, and the links from value entries to them."""

    _inherit = "inventory.cost.run"

    def _post_journal_entries(self, entries):
        """Create, post and link journal entries; all or nothing.

        What another module refuses is found by halving. Returns the refused ones as
        ``[(journal entry, message)]``; the others are posted.
        """
        if not entries:
            return []
        try:
            with self.env.cr.savepoint():
                moves = self._create_journal_entries(entries)
                self._link(entries, moves)
        except UserError as error:
            if len(entries) == 1:
                return [(entries[0], str(error))]
            middle = len(entries) // 2
            return self._post_journal_entries(
                entries[:middle]
            ) + self._post_journal_entries(entries[middle:])
        return []

    def _create_journal_entries(self, entries):
        """Create and post the account moves of the entries, in their order.

        ``account.move`` moves entries of a locked date to another one silently: dates
        are checked before, and here once more.
        """
        moves = self._account_moves().create(
            [self._prepare_journal_entry(entry) for entry in entries]
        )
        moves = moves.with_context(check_move_validity=True)
        moves._post(soft=False)
        for move, entry in zip(moves, entries, strict=True):
            if move.date != entry.date or move.state != "posted":
                raise UserError(
                    self.env._(
                        "The journal entry dated %(date)s could not be posted on that "
                        "date.",
                        date=entry.date,
                    )
                )
        return moves

    def _account_moves(self):
        """Return ``account.move`` as it is used here: as system, in the company."""
        return (
            self.env["account.move"]
            .sudo()
            .with_company(self.company_id)
            .with_context(**JOURNAL_ENTRY_CONTEXT, check_move_validity=False)
        )

    def _prepare_journal_entry(self, entry):
        """Return the values of the account move of a journal entry."""
        return {
            "move_type": "entry",
            "company_id": self.company_id.id,
            "currency_id": self.company_id.currency_id.id,
            "journal_id": self.journal_id.id,
            "date": entry.date,
            "ref": entry.document or self.name,
            "line_ids": [
                Command.create(values)
                for pair in entry.pairs
                for values in self._prepare_line_pair(pair)
            ],
        }

    def _prepare_line_pair(self, pair):
        """Return the values of the two journal items of a line pair."""
        amount = self._amount(pair.amount)
        label = pair.label
        return [
            self._prepare_line(
                label, account, balance, self._line_distribution(account, pair.analytic)
            )
            for account, balance in (
                (pair.debit_account, amount),
                (pair.credit_account, -amount),
            )
        ]

    def _prepare_line(self, label, account_id, balance, distribution):
        """Return the values of a journal item.

        Every value that Odoo would compute for itself is given: one query less a line.
        """
        return {
            "name": label,
            "account_id": account_id,
            "balance": balance,
            "amount_currency": balance,
            "currency_id": self.company_id.currency_id.id,
            "analytic_distribution": distribution,
            "display_type": "product",
            "partner_id": False,
            "product_id": False,
            "product_uom_id": False,
            "quantity": 0.0,
            "price_unit": 0.0,
            "tax_ids": [],
            "date_maturity": False,
        }

    def _amount(self, units):
        """Return currency units as an amount."""
        currency = self.company_id.currency_id
        return currency.round(units * currency.rounding)

    # -- Labels -----------------------------------------------------------------------

    def _label_pairs(self, entries):
        """Label the line pairs: their accounts' roles and what they are about."""
        roles = self._role_labels()
        products = self._products_of_pairs(entries)
        for entry in entries:
            for pair in entry.pairs:
                parts = [f"{roles[pair.debit_role]} / {roles[pair.credit_role]}"]
                if self.granularity == POSTING_GROUP:
                    parts += self._dimension_names(pair.dimensions)
                else:
                    parts.insert(0, entry.document)
                if products:
                    parts.append(products[pair.value_entry_ids[0]].display_name)
                if pair.posting_date != entry.date:
                    parts.append(format_date(self.env, pair.posting_date))
                pair.label = ", ".join(filter(None, parts))

    def _products_of_pairs(self, entries):
        """Return ``{value entry id: product}`` of items that have one value entry."""
        if self.granularity != ENTRY:
            return {}
        value_entries = (
            self.env["stock.value.entry"]
            .sudo()
            .browse(
                pair.value_entry_ids[0] for entry in entries for pair in entry.pairs
            )
        )
        value_entries.fetch(["product_id"])
        value_entries.product_id.fetch(["display_name"])
        return {entry.id: entry.product_id for entry in value_entries}

    @tools.ormcache("self.env.lang")
    def _role_labels(self):
        """Return the name of each account role in the user's language."""
        return {
            role: setup._fields[f"{role}_account_id"]._description_string(self.env)
            for setup in (
                self.env["inventory.posting.setup"],
                self.env["general.posting.setup"],
            )
            for role in setup._roles
        }

    def _dimension_names(self, dimensions):
        """Return the names of the cost location and groups of a line pair."""
        models = (
            "stock.location",
            "inventory.posting.group",
            "business.posting.group",
            "product.posting.group",
        )
        names = []
        for model, record_id in zip(models, dimensions, strict=True):
            name = self.env[model].sudo().browse(record_id or ()).display_name
            if name and name not in names:
                names.append(name)
        return names

    # -- Links ------------------------------------------------------------------------

    def _link(self, entries, moves):
        """Link the value entries to their journal items; they leave the queue."""
        plan_lines = self._record_plan(entries, moves)
        pairs = [pair for entry in entries for pair in entry.pairs]
        debits, credits = [], []
        for entry, move in zip(entries, moves, strict=True):
            lines = move.line_ids.sorted("id")
            for number, pair in enumerate(entry.pairs):
                debit, credit = lines[2 * number : 2 * number + 2]
                self._check_pair(pair, debit, credit)
                debits.append(debit.id)
                credits.append(credit.id)
        linked = self._insert_links(plan_lines, debits, credits)
        if linked != sum(len(pair.value_entry_ids) for pair in pairs):
            raise UserError(
                self.env._(
                    "Some of the value entries have been posted by another run in the "
                    "meantime. Run the posting again."
                )
            )
        self._add_journal_entries(moves)

    def _check_pair(self, pair, debit, credit):
        """Refuse journal items that another module made differ from what was asked."""
        currency = self.company_id.currency_id
        amount = self._amount(pair.amount)
        if (
            debit.account_id.id != pair.debit_account
            or credit.account_id.id != pair.credit_account
            or currency.compare_amounts(debit.balance, amount)
            or currency.compare_amounts(credit.balance, -amount)
        ):
            raise UserError(
                self.env._(
                    "The journal items of %(label)s differ from the value entries: an "
                    "automation on journal entries changes them.",
                    label=debit.name or "",
                )
            )

    def _insert_links(self, plan_lines, debits, credits):
        """Link what the plan's lines are made of to their journal items: one query.

        Returns how many amounts of value entries have left the queue for it.
        """
        self.env.cr.execute(
            SQL(
                """
                WITH linked AS (
                    INSERT INTO stock_value_entry_link (
                        company_id, run_id, value_entry_id, kind, amount,
                        debit_line_id, credit_line_id)
                    SELECT line.company_id, line.run_id, cost.value_entry::int,
                           line.kind, cost.units::bigint * %(rounding)s::numeric,
                           posted.debit, posted.credit
                      FROM unnest(%(lines)s::int[], %(debits)s::int[],
                                  %(credits)s::int[]) posted (plan_line, debit, credit)
                      JOIN inventory_cost_plan_line line ON line.id = posted.plan_line
                     CROSS JOIN LATERAL ROWS FROM (
                           jsonb_array_elements_text(line.value_entry_refs),
                           jsonb_array_elements_text(line.value_entry_units)
                           ) cost (value_entry, units)
                    RETURNING value_entry_id, kind
                )
                DELETE FROM stock_value_entry_queue queue USING linked
                 WHERE queue.value_entry_id = linked.value_entry_id
                   AND queue.kind = linked.kind
                """,
                rounding=self._rounding(),
                lines=pg_array(plan_lines),
                debits=pg_array(debits),
                credits=pg_array(credits),
            )
        )
        self._invalidate_posted()
        return self.env.cr.rowcount

    def _invalidate_posted(self):
        """Forget what the ORM knows of links and the queue."""
        self.env["stock.value.entry.link"].invalidate_model(flush=False)
        self.env["stock.value.entry.queue"].invalidate_model(flush=False)
        self.env["stock.value.entry"].invalidate_model(
            ["link_ids", "cost_posted_to_gl", "expected_cost_posted_to_gl"], flush=False
        )

    def _add_journal_entries(self, moves):
        """Add the account moves to the run's; not through the ORM, which would read
        all of those there already."""
        self.env.cr.execute(
            "INSERT INTO inventory_cost_run_journal_entry_rel (run_id, move_id) "
            "SELECT %s, unnest(%s::int[])",
            [self.id, pg_array(moves.ids)],
        )
        self.invalidate_recordset(["journal_entry_ids"], flush=False)

    def _settle(self, settled):
        """Take value entries with nothing to post out of the queue."""
        for kind, value_entry_ids in settled:
            self.env.cr.execute(
                "DELETE FROM stock_value_entry_queue "
                "WHERE kind = %s AND value_entry_id = ANY(%s::int[])",
                [kind, pg_array(value_entry_ids)],
            )
        if settled:
            self._invalidate_posted()

    def _debited(self, entries):
        """Return the sum that journal entries debit, as an amount."""
        units = sum(pair.amount for entry in entries for pair in entry.pairs)
        return float(Decimal(units) * Decimal(self._rounding()))
