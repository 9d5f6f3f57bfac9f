from odoo import api, fields, models


class ResPartner(models.Model):
    """The business posting group of customers and vendors."""

    _inherit = "res.partner"

    business_posting_group_id = fields.Many2one(
        "business.posting.group",
        company_dependent=True,
        check_company=True,
        ondelete="restrict",
        help="Together with the product's posting group it decides the cost accounts "
        "of what is bought from and sold to this partner. Left empty, the company's "
        "default applies.",
    )

    @api.model
    def _commercial_fields(self):
        """Contacts have the group of their company."""
        return super()._commercial_fields() + ["business_posting_group_id"]

    def _get_business_posting_group(self):
        """Return the business posting group in ``self.env.company``, maybe empty.

        Without a partner it is the company's default.
        """
        return (
            self.commercial_partner_id.business_posting_group_id
            or self.env.company.business_posting_group_id
        )
