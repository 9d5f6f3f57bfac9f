"""Writes the ledger's figures where Odoo shows them: values of moves, unit costs.

Projections never stop a document: they run in a savepoint of their own, and one that
meets another transaction is left to a worker.
"""

from odoo.tools import SQL

from .savepoint import execute_unless_busy


def project_own_moves(entries, value_entries):
    """Write ``stock.move.value`` of the moves that a document records just now.

    ``value_entries``: what is recorded of the new ``entries``. Return those entries
    whose moves had a value before: it has to be summed up.
    """
    costs = dict.fromkeys(entries, 0.0)
    for value in value_entries:
        if value.ledger_entry_id in costs:
            cost = value.cost_amount_actual + value.cost_amount_expected
            costs[value.ledger_entry_id] += cost
    earlier = entries.browse()
    currency = entries.company_id.currency_id
    shown = entries.filtered(lambda entry: entry.entry_type != "transfer")
    for move, own in shown.grouped("stock_move_id").items():
        value = currency.round(abs(sum(costs[entry] for entry in own)))
        if move.value:
            earlier |= own
        elif value:
            move.value = value
    return earlier


def project(company, items, entries):
    """Write ``stock.move.value`` of the entries' moves and the items' unit costs.

    Other transactions may be changing them too: they go first.
    """
    if not (items or entries):
        return
    env = company.env
    # Pending changes of moves and products are written first: the statements below
    # would otherwise be overwritten by them.
    env["stock.move"].flush_model(["value"])
    env["product.product"].flush_model(["standard_price"])
    statements = []
    if entries:
        statements.append(_move_values(entries))
    if items:
        statements.append(_standard_prices(company, items))
    if any(items.product_id.mapped("lot_valuated")):
        statements.append(_lot_prices(company, items))
    if execute_unless_busy(env.cr, SQL("; ").join(statements)) is None:
        products = items.product_id | entries.product_id
        env["stock.cost.queue"]._enqueue_projection(company, products)
    env["stock.move"].invalidate_model(["value"], flush=False)
    env["product.product"].invalidate_model(["standard_price"], flush=False)
    env["stock.lot"].invalidate_model(["standard_price"], flush=False)


def _move_values(entries):
    """A move's value: the cost of its increase, or of its decrease, positive.

    Both sides of a transfer carry the same cost and Odoo shows none for it.
    """
    return SQL(
        """
        UPDATE stock_move m SET value = v.value
        FROM (
            SELECT e.stock_move_id AS id,
                   abs(sum(c.cost_amount_actual + c.cost_amount_expected)) AS value
            FROM stock_ledger_entry e
            JOIN stock_value_entry c ON c.ledger_entry_id = e.id
            WHERE e.stock_move_id IN (
                SELECT stock_move_id FROM stock_ledger_entry WHERE id = ANY(%s))
              AND e.entry_type <> 'transfer'
            GROUP BY 1
        ) v
        WHERE m.id = v.id AND m.value IS DISTINCT FROM v.value
        """,
        list(entries.ids),
    )


def _standard_prices(company, items):
    return SQL(
        """
        UPDATE product_product p
        SET standard_price = COALESCE(p.standard_price, '{}'::jsonb)
            || jsonb_build_object(%(company)s::text, round(i.unit_cost, 6))
        FROM stock_cost_item i
        WHERE i.product_id = p.id AND i.id IN %(items)s
          AND (p.standard_price ->> %(company)s::text)::numeric
              IS DISTINCT FROM round(i.unit_cost, 6)
        """,
        company=str(company.id),
        items=tuple(items.ids),
    )


def _lot_prices(company, items):
    return SQL(
        """
        UPDATE stock_lot l
        SET standard_price = COALESCE(l.standard_price, '{}'::jsonb)
            || jsonb_build_object(%(company)s::text, round(b.unit_cost, 6))
        FROM (
            SELECT lot_id,
                   sum(value_actual + value_expected) / sum(quantity) AS unit_cost
            FROM stock_cost_balance WHERE item_id IN %(items)s AND lot_id IS NOT NULL
            GROUP BY lot_id HAVING sum(quantity) > 0
        ) b
        WHERE b.lot_id = l.id
          AND (l.standard_price ->> %(company)s::text)::numeric
              IS DISTINCT FROM round(b.unit_cost, 6)
        """,
        company=str(company.id),
        items=tuple(items.ids),
    )
