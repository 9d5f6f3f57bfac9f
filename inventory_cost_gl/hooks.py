"""What happens once when the addon is installed or removed."""


def post_init_hook(env):
    """Give every company its guard row (DESIGN: one row per company)."""
    env["inventory.cost.guard"]._create_missing(env["res.company"].search([]))


def uninstall_hook(env):
    """Set categories and companies of *every* company back to periodic valuation.

    Odoo's own ``set periodic`` only reaches the companies of the user who uninstalls.
    """
    companies = env["res.company"].with_context(active_test=False).search([])
    for company in companies:
        categories = (
            env["product.category"]
            .with_company(company)
            .search([("property_valuation", "=", "value_entries")])
        )
        categories.property_valuation = "periodic"
    companies.filtered(
        lambda company: company.inventory_valuation == "value_entries"
    ).inventory_valuation = "periodic"
