{
    "name": "Inventory Cost Subledger",
    "version": "19.0.1.0.0",
    "summary": "Value entries, cost adjustment, posting of inventory cost to the "
    "general ledger and a reconciliation that explains every cent",
    "author": "Inventory Cost GL Contributors",
    "website": "https://github.com/OCA/stock-logistics-workflow",
    "license": "LGPL-3",
    "category": "Inventory/Inventory",
    "depends": ["purchase_stock", "sale_stock"],
    "data": [
        "security/inventory_cost_gl_security.xml",
        "security/ir.model.access.csv",
        "security/inventory_gl_reconciliation_security.xml",
        "data/ir_cron.xml",
        "views/menus.xml",
        "report/inventory_gl_reconciliation_report.xml",
        "views/reconciliation_views.xml",
    ],
    "post_init_hook": "post_init_hook",
    "uninstall_hook": "uninstall_hook",
    "installable": True,
    "application": True,
}
