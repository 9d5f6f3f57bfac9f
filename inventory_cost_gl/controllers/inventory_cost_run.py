from odoo.http import Controller, content_disposition, request, route

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class InventoryCostRunController(Controller):
    """Downloads of runs."""

    @route(
        "/inventory_cost_gl/run/<int:run_id>/xlsx",
        type="http",
        auth="user",
        methods=["GET"],
        readonly=True,
    )
    def posting_xlsx(self, run_id):
        """Return *Post Inventory Cost to G/L* of a run as a spreadsheet.

        Not found, or no rights to read it: the same answer.
        """
        run = request.env["inventory.cost.run"].search([("id", "=", run_id)])
        if not run:
            raise request.not_found()
        name = run.name.replace("/", "-")
        return request.make_response(
            run._posting_xlsx(),
            [
                ("Content-Type", XLSX),
                ("Content-Disposition", content_disposition(f"{name}.xlsx")),
            ],
        )
