"""Records what bills, invoices and closed orders contribute to ledger entries' cost."""

from collections import defaultdict
from dataclasses import replace

from odoo import fields
from odoo.tools import format_date

from ..costing.invoicing import invoicing
from ..costing.receipts import (
    Billed,
    expected_to_reverse,
    invoice_statement,
    revaluations_to_reverse,
)
from ..costing.records import DIRECT_COST, REVALUATION, Cost
from .load import Loader


class InvoicingWriter:
    """Turns changed invoiced quantities into value entries, in order.

    ``changes``: ``[(model, source, entry id, recorded, new)]``, quantities in
    millionths; ``date``: when a user closed order lines short.
    """

    def __init__(self, env, company, units, changes, date=None):
        self.env = env
        self.date = date or company._inventory_posting_date(fields.Datetime.now())
        self.company = company
        self.units = units
        self.changes = changes
        self.loader = Loader(company, units)
        entry_ids = {change[2] for change in changes}
        self.records = self.env["stock.ledger.entry"].browse(sorted(entry_ids))
        self.entries = self.loader.load_with_costs(self.records)
        items = self.env["stock.cost.item"]._items(self.records)
        self.items = {i.product_id.id: self.loader.item(i) for i in items}
        self.first_open = self.env["inventory.period"]._first_open_date_getter(company)
        self.recorded = self._recorded_statements()
        self.billed = self._billed()
        self.statements = defaultdict(list)
        self.withdrawn = defaultdict(list)
        self.shares = []

    def append(self):
        """Append the value entries and return them."""
        ledger = self.env["stock.value.entry"]
        # What is taken back comes first, so that new shares see what is left.
        for change in sorted(self.changes, key=_adds):
            self._change(*change)
        stated = ledger
        for model in dict.fromkeys([*self.withdrawn, *self.statements]):
            stated |= ledger._state(
                model, self.statements[model], self.withdrawn[model]
            )
        value_entries = stated | ledger._append(self.shares)
        self._say_moved_dates(value_entries)
        return value_entries

    def _say_moved_dates(self, value_entries):
        """Tell bills and invoices of a closed period where their cost went, or where it
        was taken back."""
        dates = {
            value.source_id: value.posting_date
            for value in value_entries
            if value.source_model == "account.move.line"
        }
        lines = self.env["account.move.line"].browse(dates)
        moved = lines.filtered(
            lambda line: dates[line.id] != line.date
            and self.first_open(line.date) != line.date
        )
        for document, own in moved.grouped("move_id").items():
            document.message_post(
                body=self.env._(
                    "The inventory cost of this document is recorded on %(date)s: "
                    "inventory cost is closed for %(closed)s.",
                    date=format_date(self.env, dates[own[0].id]),
                    closed=format_date(self.env, document.date),
                )
            )

    def _change(self, model, source_id, entry_id, before, after):
        entry = self.entries[entry_id]
        if not self.records.browse(entry_id)._is_billed():
            sign = -1 if entry.entry_type == "sale" else 1
            change = sign * (after - before)
            cost = invoicing(entry, entry.invoiced + change)
            self._move_to_actual(model, source_id, entry, change, cost.actual)
        elif model == "stock.move":
            self._set_off(source_id, entry, after - before)
        else:
            self._restate_receipt(model, source_id, entry, before, after)

    def _restate_receipt(self, model, source_id, entry, before, after):
        """State anew what a bill line, or a write-off, contributes to a receipt."""
        if before:
            self._forget(model, source_id, entry, before)
            if not after:
                self.withdrawn[model].append((source_id, entry.id))
                return
        record = self.records.browse(entry.id)
        common = {
            **self._document(model, source_id, record),
            "source_id": source_id,
            "ledger_entry_id": entry.id,
        }
        for cost in self._costs(model, source_id, record, entry, after):
            self.statements[model].append({**common, **self._cost_values(cost)})
            entry.costs.append(cost)
        entry.invoiced += after

    def _cost_values(self, cost):
        """Return the values of the value entry that records a cost."""
        values = {
            "entry_type": cost.entry_type,
            "variance_type": cost.variance_type or None,
            "cost_amount_expected": float(self.units.money(cost.expected)),
            "cost_amount_actual": float(self.units.money(cost.actual)),
            "invoiced_quantity": float(self.units.number(cost.invoiced_quantity)),
        }
        if cost.entry_type == REVALUATION:
            values |= {
                "valuation_date": cost.valuation_date,
                "valued_quantity": float(self.units.number(cost.valued_quantity)),
                "partial_revaluation": cost.partial_revaluation,
            }
        return values

    def _costs(self, model, source_id, record, entry, quantity):
        """Return what a bill line states of a receipt; a write-off is a bill of 0."""
        item = self.items[record.product_id.id]
        amount = 0
        if model == "account.move.line":
            line = self.env["account.move.line"].browse(source_id)
            whole, whole_amount = line._inventory_cost(self.units)
            billed = self.billed[model, source_id]
            amount = billed.part(quantity, whole_amount, whole)
            billed.add(quantity, amount)
        return invoice_statement(item, entry, quantity, amount).costs()

    def _recorded_statements(self):
        """Return what the sources stated of any ledger entry so far, by pair."""
        sources = defaultdict(set)
        for model, source_id, *_change in self.changes:
            if model != "stock.move":
                sources[model].add(source_id)
        recorded = defaultdict(list)
        ledger = self.env["stock.value.entry"]
        for model, ids in sources.items():
            for key, values in ledger._recorded_by_sources(model, ids).items():
                recorded[(model, *key[:2])].append(self._cost(key, values))
        return recorded

    def _cost(self, key, values):
        """Return what a source recorded under a key as a ``Cost``."""
        *_pair, entry_type, variance_type, valuation_date, valued, partial = key
        expected, actual, invoiced, _last = values
        return Cost(
            entry_type=entry_type,
            variance_type=variance_type or "",
            expected=self.units.amount(expected),
            actual=self.units.amount(actual),
            invoiced_quantity=self.units.quantity(invoiced),
            valuation_date=valuation_date,
            valued_quantity=self.units.quantity(valued),
            partial_revaluation=bool(partial),
        )

    def _billed(self):
        """Return ``{(model, source): Billed}``, what is stated of receipts so far."""
        entry_ids = {entry_id for _model, _source, entry_id in self.recorded}
        entries = self.env["stock.ledger.entry"].browse(entry_ids)
        receipts = set(entries.filtered(lambda entry: entry._is_billed()).ids)
        billed = defaultdict(Billed)
        for (model, source_id, entry_id), costs in self.recorded.items():
            for cost in costs:
                if cost.entry_type == DIRECT_COST and entry_id in receipts:
                    billed[model, source_id].add(cost.invoiced_quantity, cost.actual)
        return billed

    def _forget(self, model, source_id, entry, before):
        """Take what a source recorded off the working copy of a receipt."""
        for cost in self.recorded[model, source_id, entry.id]:
            own = cost.entry_type == DIRECT_COST
            if own:
                self.billed[model, source_id].add(-before, -cost.actual)
            entry.costs.append(
                replace(
                    cost,
                    actual=-cost.actual,
                    expected=-cost.expected,
                    invoiced_quantity=-before if own else 0,
                )
            )
        entry.invoiced -= before

    def _set_off(self, source_id, entry, quantity):
        """Count what was returned unbilled as invoiced at what it is expected to cost,
        its revaluations included."""
        direct = expected_to_reverse(
            entry.costs, DIRECT_COST, entry.invoiced, quantity, entry.quantity
        )
        revaluations = revaluations_to_reverse(entry, quantity)
        self._move_to_actual("stock.move", source_id, entry, quantity, direct)
        for cost in revaluations:
            self._share(
                "stock.move", source_id, entry, replace(cost, actual=-cost.expected)
            )

    def _move_to_actual(self, model, source_id, entry, quantity, amount):
        """Count a quantity as invoiced: an amount moves from expected to actual.

        Negative ones move back.
        """
        entry.invoiced += quantity
        cost = Cost(actual=amount, expected=-amount, invoiced_quantity=quantity)
        self._share(model, source_id, entry, cost)

    def _share(self, model, source_id, entry, cost):
        """Record a cost that adds to what its source stated before."""
        entry.costs.append(cost)
        record = self.records.browse(entry.id)
        self.shares.append(
            {
                **self._document(model, source_id, record),
                "source_model": model,
                "source_id": source_id,
                "ledger_entry_id": entry.id,
                **self._cost_values(cost),
            }
        )

    def _document(self, model, source_id, record):
        """Return what a value entry says of its document."""
        if model == "stock.move":
            move = self.env["stock.move"].browse(source_id)
            day = self.company._inventory_posting_date(move.date)
            return {
                "source_ref": move.reference,
                "document_ref": None,
                "posting_date": self.first_open(max(day, record.posting_date)),
            }
        source = self.env[model].browse(source_id)
        if model != "account.move.line":
            return self._order_document(source, record)
        return {
            "source_ref": source.move_id.name,
            "document_ref": source.move_id.name,
            "document_date": source.move_id.invoice_date or source.date,
            "posting_date": self.first_open(source.date),
            "source_currency_id": source.currency_id.id,
            "source_amount": source.amount_currency,
            "analytic_distribution": source._inventory_analytic_distribution(record),
        }

    def _order_document(self, source, record):
        """Return what a value entry says of the order (line) that was closed short."""
        order = source if "order_line" in source else source.order_id
        return {
            "source_ref": order.name,
            "document_ref": self.env.context.get("write_off_document") or order.name,
            "posting_date": self.first_open(max(self.date, record.posting_date)),
        }


def _adds(change):
    """Say whether a change adds to what its source invoiced before."""
    *_source, before, after = change
    return abs(after) > abs(before)
