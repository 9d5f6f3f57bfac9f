"""The queries of the nightly checks of the ledgers (DESIGN § 12)."""

# Each check is a query of one company's wrong rows:
# (model, record id, what one side says, what the other says).
CHECKS = {
    # Documents that met a busy item leave its value entries to a worker: not counted.
    "balances": """
        WITH ledger AS (
            SELECT entry.product_id, entry.cost_location_id,
                   COALESCE(entry.lot_id, 0) AS lot,
                   sum(value.ledger_entry_quantity) AS quantity,
                   sum(value.cost_amount_actual) AS actual,
                   sum(value.cost_amount_expected) AS expected
              FROM stock_value_entry value
              JOIN stock_ledger_entry entry ON entry.id = value.ledger_entry_id
             WHERE value.company_id = %(company)s
               AND NOT EXISTS (
                   SELECT FROM stock_cost_queue queue
                    WHERE queue.value_entry_id = value.id AND NOT queue.counted)
             GROUP BY 1, 2, 3
        ), balance AS (
            SELECT *, COALESCE(lot_id, 0) AS lot FROM stock_cost_balance
             WHERE company_id = %(company)s
        )
        SELECT 'product.product', COALESCE(ledger.product_id, balance.product_id),
               concat_ws(' / ', balance.quantity, balance.value_actual,
                         balance.value_expected),
               concat_ws(' / ', ledger.quantity, ledger.actual, ledger.expected)
          FROM ledger
          FULL JOIN balance ON balance.product_id = ledger.product_id
                           AND balance.cost_location_id = ledger.cost_location_id
                           AND balance.lot = ledger.lot
         WHERE COALESCE(ledger.quantity, 0) <> COALESCE(balance.quantity, 0)
            OR COALESCE(ledger.actual, 0) <> COALESCE(balance.value_actual, 0)
            OR COALESCE(ledger.expected, 0) <> COALESCE(balance.value_expected, 0)
    """,
    # Instead of foreign keys (``Many2oneWithoutKey``).
    "keys": """
        SELECT 'stock.value.entry', value.id,
               concat_ws(' / ', value.ledger_entry_id, value.company_id,
                         value.product_id, value.cost_location_id),
               concat_ws(' / ', entry.id, entry.company_id,
                         entry.product_id, entry.cost_location_id)
          FROM stock_value_entry value
          LEFT JOIN stock_ledger_entry entry ON entry.id = value.ledger_entry_id
          LEFT JOIN stock_value_entry cause ON cause.id = value.cause_value_entry_id
          LEFT JOIN stock_value_entry adjusted
                 ON adjusted.id = value.applies_to_value_entry_id
         WHERE value.company_id = %(company)s
           AND (value.ledger_entry_id IS NOT NULL
                AND (value.company_id, value.product_id, value.cost_location_id)
                    IS DISTINCT FROM
                    (entry.company_id, entry.product_id, entry.cost_location_id)
                OR value.cause_value_entry_id IS NOT NULL AND cause.id IS NULL
                OR value.applies_to_value_entry_id IS NOT NULL AND adjusted.id IS NULL)
         UNION ALL
        SELECT 'stock.cost.application', application.id,
               concat_ws(' / ', inbound_entry_id, outbound_entry_id),
               concat_ws(' / ', inbound.id, outbound.id)
          FROM stock_cost_application application
          LEFT JOIN stock_ledger_entry inbound ON inbound.id = inbound_entry_id
          LEFT JOIN stock_ledger_entry outbound ON outbound.id = outbound_entry_id
         WHERE application.company_id = %(company)s
           AND (inbound.id IS NULL OR outbound.id IS NULL)
         UNION ALL
        SELECT 'stock.value.entry.link', link.id,
               concat_ws(' / ', debit_line_id, credit_line_id),
               concat_ws(' / ', debit.id, credit.id)
          FROM stock_value_entry_link link
          LEFT JOIN account_move_line debit ON debit.id = debit_line_id
          LEFT JOIN account_move_line credit ON credit.id = credit_line_id
         WHERE link.company_id = %(company)s
           AND (debit.id IS NULL OR credit.id IS NULL)
    """,
    "quantities": """
        WITH quant AS (
            SELECT quant.product_id,
                   COALESCE(warehouse.view_location_id, location.id) AS location,
                   CASE WHEN template.lot_valuated
                        THEN COALESCE(quant.lot_id, 0) ELSE 0 END AS lot,
                   sum(quant.quantity) AS quantity
              FROM stock_quant quant
              JOIN stock_location location ON location.id = quant.location_id
              LEFT JOIN stock_warehouse warehouse
                     ON warehouse.id = location.warehouse_id
              JOIN product_product product ON product.id = quant.product_id
              JOIN product_template template ON template.id = product.product_tmpl_id
             WHERE location.company_id = %(company)s
               AND location.usage IN ('internal', 'transit')
               AND COALESCE(quant.owner_id, %(owner)s) = %(owner)s
               AND quant.product_id = ANY(%(products)s)
             GROUP BY 1, 2, 3
        ), ledger AS (
            SELECT product_id, cost_location_id AS location, COALESCE(lot_id, 0) AS lot,
                   sum(quantity) AS quantity
              FROM stock_ledger_entry
             WHERE company_id = %(company)s AND product_id = ANY(%(products)s)
             GROUP BY 1, 2, 3
        )
        SELECT 'product.product', COALESCE(quant.product_id, ledger.product_id),
               COALESCE(quant.quantity, 0)::text, COALESCE(ledger.quantity, 0)::text
          FROM quant FULL JOIN ledger USING (product_id, location, lot)
         WHERE round(COALESCE(quant.quantity, 0), 6) <> COALESCE(ledger.quantity, 0)
    """,
    "applications": """
        WITH applied AS (
            SELECT entry_id, sum(quantity) AS quantity
              FROM stock_cost_application application
             CROSS JOIN LATERAL (VALUES (application.inbound_entry_id),
                                        (application.outbound_entry_id)
                                ) AS side (entry_id)
             WHERE application.company_id = %(company)s
             GROUP BY 1
        )
        SELECT 'stock.ledger.entry', entry.id, entry.quantity::text,
               concat(COALESCE(applied.quantity, 0), ' + ',
                      abs(entry.remaining_quantity))
          FROM stock_ledger_entry entry
          LEFT JOIN applied ON applied.entry_id = entry.id
         WHERE entry.company_id = %(company)s
           AND abs(entry.quantity)
               <> COALESCE(applied.quantity, 0) + abs(entry.remaining_quantity)
    """,
    # Value is shared within a pool: of an averaged product all its stock, else the
    # stock of one lot at one cost location.
    "emptied": """
        WITH pool AS (
            SELECT *, CASE WHEN product_id = ANY(%(averaged)s) THEN 0
                           ELSE cost_location_id END AS place,
                   COALESCE(lot_id, 0) AS lot
              FROM stock_cost_balance WHERE company_id = %(company)s
        )
        SELECT 'product.product', pool.product_id,
               (SELECT complete_name FROM stock_location WHERE id = pool.place),
               sum(pool.value_actual + pool.value_expected)::text
          FROM pool
         WHERE NOT EXISTS (
               SELECT FROM stock_cost_queue queue
                WHERE queue.product_id = pool.product_id
                  AND queue.company_id = pool.company_id)
           AND NOT EXISTS (
               SELECT FROM stock_ledger_entry entry
                WHERE entry.product_id = pool.product_id
                  AND entry.company_id = pool.company_id AND entry.open
                  AND (pool.place = 0 OR (entry.cost_location_id = pool.place
                       AND COALESCE(entry.lot_id, 0) = pool.lot)))
         GROUP BY pool.product_id, pool.place, pool.lot
        HAVING sum(pool.quantity) = 0
           AND sum(pool.value_actual + pool.value_expected) <> 0
    """,
    "expected": """
        SELECT 'stock.ledger.entry', entry.id, '0',
               sum(value.cost_amount_expected)::text
          FROM stock_value_entry value
          JOIN stock_ledger_entry entry ON entry.id = value.ledger_entry_id
         WHERE value.company_id = %(company)s
         GROUP BY entry.id
        HAVING sum(value.invoiced_quantity) = entry.quantity
           AND sum(value.cost_amount_expected) <> 0
    """,
    # The interim accounts equal the lists of goods not invoiced: of each ledger entry
    # they hold the expected cost that does not wait. Where expected cost is not posted,
    # they hold it all or nothing of it.
    "interim": """
        WITH linked AS (
            SELECT value_entry_id, sum(amount) AS amount
              FROM stock_value_entry_link
             WHERE company_id = %(company)s AND kind = 'expected'
             GROUP BY 1
        ), cost AS (
            SELECT value.ledger_entry_id AS id, value.cost_amount_expected AS expected,
                   COALESCE(linked.amount, 0) AS posted,
                   queue.value_entry_id IS NOT NULL AS waits
              FROM stock_value_entry value
              LEFT JOIN linked ON linked.value_entry_id = value.id
              LEFT JOIN stock_value_entry_queue queue
                     ON queue.value_entry_id = value.id AND queue.kind = 'expected'
             WHERE value.company_id = %(company)s
               AND (value.cost_amount_expected <> 0 OR linked.amount <> 0)
        )
        SELECT 'stock.ledger.entry', id, round(sum(posted), 2)::text,
               round(sum(CASE WHEN waits THEN posted ELSE expected END), 2)::text
          FROM cost
         GROUP BY id
        HAVING sum(expected - posted) FILTER (WHERE NOT waits) <> 0
           AND (sum(posted) <> 0 OR (SELECT expected_cost_posting FROM res_company
                                      WHERE id = %(company)s))
    """,
    # The links of a journal item belong to one pair of lines, so that they add up to
    # it; decreases count negative on both of its sides.
    "links": """
        WITH linked AS (
            SELECT line_id, side.sign, abs(sum(amount)) AS amount
              FROM stock_value_entry_link link
             CROSS JOIN LATERAL (VALUES (link.debit_line_id, 1),
                                        (link.credit_line_id, -1)
                                ) AS side (line_id, sign)
             WHERE link.company_id = %(company)s
             GROUP BY 1, 2
        ), entry AS (
            SELECT line.move_id
              FROM linked JOIN account_move_line line ON line.id = linked.line_id
             UNION
            SELECT posted.move_id
              FROM inventory_cost_run_journal_entry_rel posted
              JOIN inventory_cost_run run ON run.id = posted.run_id
             WHERE run.company_id = %(company)s
        )
        SELECT 'account.move.line', line.id, line.balance::text,
               COALESCE(linked.sign * linked.amount, 0)::text
          FROM account_move_line line
          JOIN entry ON entry.move_id = line.move_id
          LEFT JOIN linked ON linked.line_id = line.id
         WHERE line.display_type = 'product'
           AND (line.balance <> COALESCE(linked.sign * linked.amount, 0)
                OR line.parent_state <> 'posted')
    """,
}

# Pairs of decreases: the second takes the cost of goods that came back from the first.
FOLLOWED = """
    SELECT increase.applies_from_entry_id, application.outbound_entry_id
      FROM stock_ledger_entry increase
      JOIN stock_cost_application application
        ON application.inbound_entry_id = increase.id AND application.cost_follows
     WHERE increase.company_id = %(company)s
       AND increase.applies_from_entry_id IS NOT NULL
     GROUP BY 1, 2 HAVING sum(application.quantity) > 0
"""
