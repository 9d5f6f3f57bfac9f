"""Run by tools/demo in Odoo's shell, on the demo database."""

modules = env["ir.module.module"].search([("state", "=", "installed")])  # noqa: F821
print("installed:", ", ".join(sorted(modules.mapped("name"))))
