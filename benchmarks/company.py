"""The company that is measured: accounts, posting setups, a category per method."""

from odoo import Command

from odoo.addons.inventory_cost_gl.posting.roles import (
    GENERAL_POSTING_ROLES,
    INVENTORY_POSTING_ROLES,
    ROLES,
)

# Kind of product: (costing method, valuation, cost follows the lot). The first five are
# the addon's, the others Odoo's own, to compare with.
KINDS = {
    "standard": ("standard", "value_entries", False),
    "average": ("average", "value_entries", False),
    "fifo": ("fifo", "value_entries", False),
    "lifo": ("lifo", "value_entries", False),
    "specific": ("average", "value_entries", True),
    "periodic standard": ("standard", "periodic", False),
    "periodic standard by lot": ("standard", "periodic", True),
    "Odoo's average": ("average", "real_time", False),
    "Odoo's FIFO": ("fifo", "real_time", False),
}
MANAGED = list(KINDS)[:5]
UNIT_COST = 10.0


def make_company(env):
    """Create the company and its setup, and a product of each kind; commit.

    Cost is adjusted and posted when a line says so, or at once where it measures a
    document.
    """
    company = env["res.company"].create(
        {
            "name": "Benchmark",
            "currency_id": env.ref("base.USD").id,
            "inventory_cost_tz": "UTC",
        }
    )
    env["account.chart.template"].try_loading(
        "generic_coa", company=company, install_demo=False
    )
    env.ref("base.user_admin").write(
        {
            "company_ids": [Command.link(company.id)],
            "company_id": company.id,
            "group_ids": [
                Command.link(env.ref(f"inventory_cost_gl.group_{group}").id)
                for group in ("manager", "accountant")
            ],
        }
    )
    env = env(
        user=env.ref("base.user_admin").id,
        context={"allowed_company_ids": company.ids, "tracking_disable": True},
    )
    company = company.with_env(env)
    warehouses = env["stock.warehouse"]
    if not warehouses.search([("company_id", "=", company.id)], limit=1):
        warehouses.create({"name": "Benchmark", "code": "BM", "company_id": company.id})
    groups = _make_posting_setup(company)
    company.write(
        {
            "automatic_cost_posting": "off",
            "automatic_cost_adjustment": "always",
            "average_cost_period": "transaction",
            "expected_cost_posting": True,
            "inventory_cost_journal_id": env["account.journal"]
            .create({"name": "Inventory Cost", "code": "INVC", "type": "general"})
            .id,
        }
    )
    _make_products(env, groups)
    env.cr.commit()
    return env


def _make_posting_setup(company):
    """Give each role an account of its own; return the posting groups."""
    env = company.env
    inventory = env["inventory.posting.group"].create({"code": "G", "name": "Goods"})
    product = env["product.posting.group"].create({"code": "G", "name": "Goods"})
    business = env["business.posting.group"].create({"code": "G", "name": "Domestic"})
    company.business_posting_group_id = business
    accounts = env["account.account"].create(
        [
            {
                "name": role.replace("_", " ").title(),
                "code": f"77{number:02}00",
                "account_type": "asset_current",
            }
            for number, role in enumerate(ROLES, start=1)
        ]
    )
    account_of = dict(zip(ROLES, accounts.ids, strict=True))
    for model, roles, group in (
        ("inventory.posting.setup", INVENTORY_POSTING_ROLES, inventory),
        ("general.posting.setup", GENERAL_POSTING_ROLES, product),
    ):
        env[model].create(
            {
                "company_id": company.id,
                f"{group._name.replace('.', '_')}_id": group.id,
                **{f"{role}_account_id": account_of[role] for role in roles},
            }
        )
    return {
        "inventory_posting_group_id": inventory.id,
        "product_posting_group_id": product.id,
    }


def _make_products(env, groups):
    """Create a category and a product of each kind; bulk products are their copies."""
    for kind, (method, valuation, by_lot) in KINDS.items():
        category = env["product.category"].create(
            {
                "name": kind,
                "property_cost_method": method,
                "property_valuation": valuation,
                **(groups if valuation == "value_entries" else {}),
            }
        )
        env["product.product"].create(
            {
                "name": kind,
                "is_storable": True,
                "categ_id": category.id,
                "standard_price": UNIT_COST,
                "tracking": "lot" if by_lot else "none",
                "lot_valuated": by_lot,
                "taxes_id": [Command.clear()],
                "supplier_taxes_id": [Command.clear()],
            }
        )
