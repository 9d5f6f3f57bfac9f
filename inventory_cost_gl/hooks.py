"""What happens once when the addon is installed or removed."""

from odoo.tools import SQL

# What the addon adds to Odoo's selections, and what stands in for it without the addon:
# (field of categories, field of companies, value, replacement).
ADDED_VALUES = (
    ("property_valuation", "inventory_valuation", "value_entries", "periodic"),
    ("property_cost_method", "cost_method", "lifo", "fifo"),
)


def post_init_hook(env):
    """Give every company its guard row (DESIGN: one row per company)."""
    env["inventory.cost.guard"]._create_missing(env["res.company"].search([]))


def uninstall_hook(env):
    """Give *every* company Odoo's own values back, and drop the triggers' functions.

    Odoo's own ``set periodic`` only reaches the companies of the user who uninstalls,
    and through the ORM it meets the guards of fields that have ledger entries.
    """
    env.flush_all()
    for category_field, company_field, value, replacement in ADDED_VALUES:
        for query in (
            """
            UPDATE product_category category SET %(category_field)s = (
                SELECT jsonb_object_agg(company, CASE WHEN value = %(value)s
                                        THEN %(replacement)s ELSE value END)
                  FROM jsonb_each_text(category.%(category_field)s)
                       AS property (company, value))
             WHERE jsonb_path_exists(category.%(category_field)s, '$.* ? (@ == $v)',
                                     jsonb_build_object('v', %(value)s))
            """,
            """
            UPDATE res_company SET %(company_field)s = %(replacement)s
             WHERE %(company_field)s = %(value)s
            """,
            """
            UPDATE ir_default SET json_value = to_json(%(replacement)s::text)::text
              FROM ir_model_fields field
             WHERE field.id = ir_default.field_id AND field.name = %(category_name)s
               AND field.model = 'product.category'
               AND ir_default.json_value = to_json(%(value)s::text)::text
            """,
        ):
            env.cr.execute(
                SQL(
                    query,
                    category_field=SQL.identifier(category_field),
                    category_name=category_field,
                    company_field=SQL.identifier(company_field),
                    value=value,
                    replacement=replacement,
                )
            )
    for function in ("append_only", "closed_period", "posted_item"):
        name = SQL.identifier(f"inventory_cost_{function}")
        env.cr.execute(SQL("DROP FUNCTION IF EXISTS %s CASCADE", name))
    env.invalidate_all()
    env.registry.clear_cache()
