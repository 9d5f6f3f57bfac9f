{
    "name": "Inventory Cost Subledger: Landed Costs",
    "version": "19.0.1.0.0",
    "summary": "Landed costs as value entries, forwarded to what was sold already",
    "author": "Inventory Cost GL Contributors",
    "website": "https://github.com/OCA/stock-logistics-workflow",
    "license": "LGPL-3",
    "category": "Inventory/Inventory",
    "depends": ["inventory_cost_gl", "stock_landed_costs"],
    "auto_install": True,
    "installable": True,
}
