"""Histories of products, written by SQL: moves, both ledgers, queues, balances, stock.

What stands there afterwards is what documents would have recorded one by one; the tests
run the addon's own integrity check on it.
"""

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from .company import KINDS, MANAGED, UNIT_COST
from .database import superuser

LAST_DAY = date(2025, 12, 31)
SEED = 0.42
# Tables whose indexes are built anew after the rows are there.
TABLES = (
    "stock_move",
    "stock_move_line",
    "stock_ledger_entry",
    "stock_cost_application",
    "stock_value_entry",
    "stock_value_entry_queue",
)


@dataclass
class History:
    """Cycles of one receipt and some deliveries, for a number of products a kind.

    ``step``: days from one cycle to the next. With ``late_bills`` receipts have
    expected cost at random prices, and a bill at another price for each comes last of
    all: everything is stale. Else they cost ``UNIT_COST``, and all is adjusted.
    ``on_hand``: what the last receipt brings beyond that.
    """

    kinds: list
    products: int
    cycles: int
    deliveries: int
    received: float
    delivered: float
    step: int
    on_hand: float = 0
    late_bills: bool = False
    name: str = ""


def ledgers(value_entries):
    """Return the history of about that many value entries, all of it stale.

    200 value entries a product: 40 receipts, their bills, 120 deliveries.
    """
    products = max(value_entries // (200 * len(MANAGED)), 1)
    return History(MANAGED, products, 40, 3, 12, 3.5, 9, late_bills=True, name="bulk")


def steady(moves, kinds=None):
    """Return the history of one product a kind with that many moves, 10 a day."""
    kinds = kinds or list(KINDS)
    return History(kinds, 1, moves // 10, 9, 9, 1, 1, 100, name=f"{moves} moves")


def write(database, history):
    """Write a history for new products; its name is their default code."""
    with superuser(database) as cr:
        cr.execute("SELECT setseed(%s)", [SEED])
        cr.execute("SET work_mem = '128MB'; SET maintenance_work_mem = '512MB'")
        arguments = {
            **vars(history),
            "last_day": LAST_DAY,
            "unit_cost": UNIT_COST,
            "methods": [KINDS[kind][0] for kind in history.kinds],
        }
        # A move is written several times on its way to done: its page has room.
        cr.execute("ALTER TABLE stock_move SET (fillfactor = 50)")
        with _without_indexes(cr, TABLES):
            for statement in (
                *(_COMPANY, _PRODUCTS, _ENTRIES, _DOCUMENTS, _LEDGERS),
                *([_BILLS] if history.late_bills else []),
                _QUEUES,
            ):
                cr.execute(statement, arguments)
        cr.execute("ALTER TABLE stock_move RESET (fillfactor)")
        cr.execute("ANALYZE")


@contextmanager
def _without_indexes(cr, tables):
    """Drop the tables' plain indexes, and create them again afterwards."""
    cr.execute(
        """
        SELECT format('DROP INDEX %%I', index.relname), pg_get_indexdef(index.oid)
          FROM pg_index JOIN pg_class index ON index.oid = indexrelid
         WHERE indrelid = ANY(%s::regclass[]) AND NOT indisunique
        """,
        [list(tables)],
    )
    indexes = cr.fetchall()
    for drop, _create in indexes:
        cr.execute(drop)
    yield
    for _drop, create in indexes:
        cr.execute(create)


_COMPANY = """
CREATE TEMP TABLE place ON COMMIT DROP AS
SELECT company.id AS company_id, warehouse.view_location_id AS cost_location_id,
       warehouse.lot_stock_id AS stock_id, warehouse.in_type_id, warehouse.out_type_id,
       (SELECT id FROM stock_location WHERE usage = 'supplier' ORDER BY id LIMIT 1)
           AS supplier_id,
       (SELECT id FROM stock_location WHERE usage = 'customer' ORDER BY id LIMIT 1)
           AS customer_id,
       (SELECT id FROM inventory_posting_group ORDER BY id DESC LIMIT 1) AS goods_id,
       (SELECT id FROM product_posting_group ORDER BY id DESC LIMIT 1)
           AS product_group_id,
       (SELECT id FROM business_posting_group ORDER BY id DESC LIMIT 1) AS business_id
  FROM res_company company
  JOIN stock_warehouse warehouse ON warehouse.company_id = company.id
 ORDER BY company.id DESC, warehouse.id LIMIT 1;
"""

# Copies of the products of ``company.KINDS``, column by column.
_PRODUCTS = """
CREATE FUNCTION pg_temp.copied(source regclass, place integer, id integer, code text,
                               template integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE columns text;
BEGIN
    SELECT string_agg(quote_ident(attname), ', ') INTO columns FROM pg_attribute
     WHERE attrelid = source AND attnum > 0 AND NOT attisdropped;
    EXECUTE format(
        'INSERT INTO %%s (%%s) SELECT (jsonb_populate_record(row, %%L)).* '
        'FROM %%s row WHERE id = %%s',
        source, columns, jsonb_strip_nulls(jsonb_build_object(
            'id', id, 'default_code', code, 'product_tmpl_id', template)),
        source, place);
END $$;
CREATE TEMP TABLE item ON COMMIT DROP AS
SELECT kind, method, own, number, product.id AS original_id,
       product.product_tmpl_id AS original_template_id, template.uom_id,
       nextval('product_product_id_seq')::integer AS product_id,
       nextval('product_template_id_seq')::integer AS template_id
  FROM generate_series(1, %(products)s) AS number
 CROSS JOIN unnest(%(kinds)s::text[], %(methods)s::text[]) AS k (kind, method)
  JOIN product_template template ON template.name ->> 'en_US' = kind
   AND template.default_code IS NULL
  JOIN product_product product ON product.product_tmpl_id = template.id
 CROSS JOIN LATERAL (SELECT method = 'lifo' OR template.lot_valuated AS own) layer
 ORDER BY number, kind;
SELECT pg_temp.copied('product_template', original_template_id, template_id, %(name)s,
                      NULL),
       pg_temp.copied('product_product', original_id, product_id, %(name)s,
                      template_id) FROM item;
"""

# What moves, in order of recording: receipts are place 0 of their cycle. ``lo`` is what
# of the product moved the same way before.
_ENTRIES = """
CREATE TEMP TABLE entry ON COMMIT DROP AS
SELECT nextval('stock_ledger_entry_id_seq')::integer AS id,
       nextval('stock_move_id_seq')::integer AS move_id, planned.*
  FROM (
    SELECT item.*, cycle, place, place = 0 AS receipt,
           %(last_day)s::date - (%(cycles)s - cycle) * %(step)s
               + CASE place WHEN 0 THEN 0
                      ELSE (place - 1) * %(step)s / %(deliveries)s END AS day,
           CASE place WHEN 0 THEN %(received)s::numeric
                    + CASE cycle WHEN %(cycles)s - 1 THEN %(on_hand)s ELSE 0 END
                ELSE -%(delivered)s::numeric END AS quantity,
           CASE place WHEN 0 THEN cycle * %(received)s::numeric
                ELSE (cycle * %(deliveries)s + place - 1) * %(delivered)s::numeric
                END AS lo,
           CASE WHEN place > 0 THEN 0
                WHEN method = 'standard' OR NOT %(late_bills)s
                    THEN %(unit_cost)s::numeric
                ELSE round((10 + 5 * random())::numeric, 2) END AS price,
           format('%%s/%%s/%%s/%%s', CASE place WHEN 0 THEN 'IN' ELSE 'OUT' END,
                  (number - 1) / 10, cycle, place) AS document
      FROM item, generate_series(0, %(cycles)s - 1) AS cycle,
           generate_series(0, %(deliveries)s) AS place
     ORDER BY day, place, number, kind
  ) planned;
CREATE TEMP TABLE lot ON COMMIT DROP AS
SELECT nextval('stock_lot_id_seq')::integer AS id, product_id, cycle
  FROM entry JOIN product_template template ON template.id = entry.template_id
 WHERE receipt AND template.lot_valuated;
INSERT INTO stock_lot (id, product_id, company_id, name, standard_price)
SELECT lot.id, product_id, company_id, format('LOT %%s', cycle),
       jsonb_build_object(company_id, %(unit_cost)s) FROM lot, place;
ALTER TABLE entry ADD lot_id integer, ADD cost numeric, ADD remaining numeric;
UPDATE entry SET lot_id = lot.id FROM lot
 WHERE (entry.product_id, entry.cycle) = (lot.product_id, lot.cycle);
ANALYZE entry;

CREATE TEMP TABLE applied ON COMMIT DROP AS
SELECT receipt.id AS receipt_id, delivery.id AS delivery_id, delivery.method,
       receipt.price, CASE WHEN delivery.own THEN -delivery.quantity
           ELSE least(receipt.lo + receipt.quantity, delivery.lo - delivery.quantity)
                - greatest(receipt.lo, delivery.lo) END AS quantity
  FROM entry delivery
 CROSS JOIN LATERAL generate_series(
       CASE WHEN delivery.own THEN delivery.cycle
            ELSE floor(delivery.lo / %(received)s)::integer END,
       CASE WHEN delivery.own THEN delivery.cycle
            ELSE ceil((delivery.lo - delivery.quantity) / %(received)s)::integer - 1
            END) AS layer
  JOIN entry receipt ON receipt.product_id = delivery.product_id
   AND receipt.cycle = layer AND receipt.receipt
 WHERE NOT delivery.receipt;

UPDATE entry SET remaining = quantity, cost = round(quantity * price, 2) WHERE receipt;
UPDATE entry SET remaining = entry.quantity - used.quantity
  FROM (SELECT receipt_id, sum(quantity) AS quantity FROM applied GROUP BY 1) used
 WHERE entry.id = used.receipt_id;
UPDATE entry SET remaining = 0, cost = round(used.cost, 2)
  FROM (SELECT delivery_id, -sum(quantity * price) AS cost FROM applied GROUP BY 1) used
 WHERE entry.id = used.delivery_id;
ANALYZE entry;
"""

_DOCUMENTS = """
INSERT INTO stock_move (id, company_id, product_id, product_uom, location_id,
    location_dest_id, picking_type_id, state, origin, reference, procure_method,
    product_qty, product_uom_qty, quantity, picked, date, value, price_unit, is_in,
    is_out, is_dropship, priority, sequence, create_date, write_date)
SELECT move_id, company_id, entry.product_id, uom_id,
       CASE WHEN receipt THEN supplier_id ELSE stock_id END,
       CASE WHEN receipt THEN stock_id ELSE customer_id END,
       CASE WHEN receipt THEN in_type_id ELSE out_type_id END,
       'done', document, document, 'make_to_stock', abs(quantity), abs(quantity),
       abs(quantity), true, day + interval '12 hours', abs(cost), price, receipt,
       NOT receipt, false, '0', 10, day, day
  FROM entry, place;
INSERT INTO stock_move_line (move_id, company_id, product_id, product_uom_id, lot_id,
    location_id, location_dest_id, state, quantity, quantity_product_uom, picked, date)
SELECT move_id, company_id, entry.product_id, uom_id, lot_id,
       CASE WHEN receipt THEN supplier_id ELSE stock_id END,
       CASE WHEN receipt THEN stock_id ELSE customer_id END,
       'done', abs(quantity), abs(quantity), true, day + interval '12 hours'
  FROM entry, place;
INSERT INTO stock_quant (product_id, company_id, location_id, lot_id, quantity,
                         reserved_quantity, in_date)
SELECT entry.product_id, company_id, stock_id, lot_id, sum(quantity), 0, min(day)
  FROM entry, place GROUP BY 1, 2, 3, 4 HAVING sum(quantity) <> 0;
DELETE FROM entry USING product_template template, product_category category
 WHERE template.id = entry.template_id AND category.id = template.categ_id
   AND category.property_valuation ->> (SELECT company_id::text FROM place)
       <> 'value_entries';
"""

_LEDGERS = """
INSERT INTO stock_ledger_entry (id, company_id, product_id, lot_id, cost_location_id,
    entry_type, quantity, remaining_quantity, open, posting_date, valuation_date,
    stock_move_id, origin, inventory_posting_group_id, product_posting_group_id,
    business_posting_group_id)
SELECT id, company_id, entry.product_id, lot_id, cost_location_id,
       CASE WHEN receipt THEN 'purchase' ELSE 'sale' END, quantity, remaining,
       remaining <> 0, day, day, move_id, document, goods_id, place.product_group_id,
       business_id
  FROM entry, place ORDER BY id;
INSERT INTO stock_cost_application (company_id, inbound_entry_id, outbound_entry_id,
    quantity, cost_follows, recorded_at)
SELECT company_id, receipt_id, delivery_id, quantity, method <> 'average' OR own,
       now() AT TIME ZONE 'UTC'
  FROM (SELECT applied.*, entry.own FROM applied
          JOIN entry ON entry.id = applied.delivery_id) applied, place
 ORDER BY delivery_id, receipt_id;
CREATE TEMP VIEW new_value AS
SELECT company_id, entry.id AS ledger_entry_id, entry.product_id,
       CASE WHEN receipt THEN 'purchase' ELSE 'sale' END AS item_ledger_entry_type,
       day AS posting_date, day AS valuation_date, document AS document_ref,
       document AS source_ref, day AS document_date,
       goods_id AS inventory_posting_group_id,
       place.product_group_id AS product_posting_group_id,
       business_id AS business_posting_group_id, cost_location_id, quantity, cost,
       receipt, method, own, move_id, id
  FROM entry, place;
INSERT INTO stock_value_entry (company_id, ledger_entry_id, product_id,
    item_ledger_entry_type, posting_date, valuation_date, document_ref, source_ref,
    document_date, inventory_posting_group_id, product_posting_group_id,
    business_posting_group_id, cost_location_id, entry_type, source_model, source_id,
    cost_amount_expected, cost_amount_actual, expected, ledger_entry_quantity,
    invoiced_quantity, valued_quantity, valued_by_average, partial_revaluation,
    adjustment, recorded_at, user_ref)
SELECT company_id, ledger_entry_id, product_id, item_ledger_entry_type, posting_date,
       valuation_date, document_ref, source_ref, document_date,
       inventory_posting_group_id, product_posting_group_id, business_posting_group_id,
       cost_location_id, 'direct_cost', 'stock.move', move_id,
       CASE WHEN later THEN cost ELSE 0 END, CASE WHEN later THEN 0 ELSE cost END,
       later, quantity, CASE WHEN later THEN 0 ELSE quantity END, quantity,
       method = 'average' AND NOT own AND NOT receipt, false, false,
       now() AT TIME ZONE 'UTC', 1
  FROM new_value, LATERAL (SELECT receipt AND %(late_bills)s AS later) bill
 ORDER BY id;
INSERT INTO stock_cost_item (company_id, product_id, unit_cost, version, excluded)
SELECT DISTINCT company_id, entry.product_id, %(unit_cost)s::numeric, 0, false
  FROM entry, place;
"""

# Each receipt's bill: 10 %% below to 10 %% above the order's price. A standard product
# stays at its cost: the rest is purchase variance.
_BILLS = """
CREATE TEMP TABLE bill ON COMMIT DROP AS
SELECT value.*, nextval('account_move_line_id_seq')::integer AS source,
       round(cost * (0.9 + 0.2 * random())::numeric, 2) AS billed
  FROM (SELECT * FROM new_value WHERE receipt ORDER BY id) value;
INSERT INTO stock_value_entry (company_id, ledger_entry_id, product_id,
    item_ledger_entry_type, posting_date, valuation_date, document_ref, source_ref,
    document_date, inventory_posting_group_id, product_posting_group_id,
    business_posting_group_id, cost_location_id, entry_type, variance_type,
    source_model, source_id, cost_amount_expected, cost_amount_actual, expected,
    ledger_entry_quantity, invoiced_quantity, valued_quantity, valued_by_average,
    partial_revaluation, adjustment, recorded_at, user_ref)
SELECT company_id, ledger_entry_id, product_id, item_ledger_entry_type, posting_date,
       valuation_date, 'BILL/' || document_ref, source_ref, document_date,
       inventory_posting_group_id, product_posting_group_id, business_posting_group_id,
       cost_location_id, stated.entry_type, stated.variance_type, 'account.move.line',
       source, stated.expected, stated.actual, false, 0, stated.invoiced, quantity,
       false, false, false, now() AT TIME ZONE 'UTC', 1
  FROM bill CROSS JOIN LATERAL (VALUES
       ('direct_cost', NULL, -cost, billed, quantity),
       ('variance', 'purchase', 0, cost - billed, 0)
       ) AS stated (entry_type, variance_type, expected, actual, invoiced)
 WHERE stated.entry_type = 'direct_cost' OR method = 'standard'
 ORDER BY bill.id, stated.entry_type;
INSERT INTO stock_cost_queue (company_id, product_id, valuation_date, value_entry_id,
                              counted, recorded_at)
SELECT company_id, product_id, valuation_date, id, true, recorded_at
  FROM stock_value_entry
 WHERE source_model = 'account.move.line' AND entry_type = 'direct_cost'
   AND product_id IN (SELECT product_id FROM item)
 ORDER BY id;
"""

# Statistics of the template may say that its ledgers are empty.
_QUEUES = """
ANALYZE stock_cost_item, stock_ledger_entry, stock_value_entry;
INSERT INTO stock_value_entry_queue (company_id, value_entry_id, kind, posting_date,
                                     product_id)
SELECT value.company_id, value.id, cost.kind, value.posting_date, value.product_id
  FROM stock_value_entry value CROSS JOIN LATERAL (VALUES
       ('actual', cost_amount_actual), ('expected', cost_amount_expected)
       ) AS cost (kind, amount)
 WHERE cost.amount <> 0 AND value.product_id IN (SELECT product_id FROM item)
 ORDER BY value.id;
INSERT INTO stock_cost_balance (item_id, company_id, product_id, cost_location_id,
    lot_id, quantity, invoiced_quantity, value_actual, value_expected, unit_cost)
SELECT item.id, item.company_id, item.product_id, ledger.cost_location_id,
       ledger.lot_id, sum(value.ledger_entry_quantity), sum(value.invoiced_quantity),
       sum(value.cost_amount_actual), sum(value.cost_amount_expected),
       COALESCE(sum(value.cost_amount_actual + value.cost_amount_expected)
                / NULLIF(sum(value.ledger_entry_quantity), 0), 0)
  FROM stock_value_entry value
  JOIN stock_ledger_entry ledger ON ledger.id = value.ledger_entry_id
  JOIN stock_cost_item item ON item.product_id = value.product_id
   AND item.company_id = value.company_id
 WHERE value.product_id IN (SELECT product_id FROM item)
 GROUP BY 1, 2, 3, 4, 5;
DROP VIEW new_value;
"""
