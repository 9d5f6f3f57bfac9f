import logging

from odoo import api, models
from odoo.tools import SQL, html_escape

from ..costing.loops import find_loop
from .inventory_cost_integrity_checks import CHECKS, FOLLOWED

_logger = logging.getLogger(__name__)

# What a to-do lists; the log has all of them.
LISTED = 20


class InventoryCostIntegrity(models.AbstractModel):
    """What must always be true of the ledgers, checked every night (DESIGN § 12).

    The queries only read; they see one moment of the database, whatever runs beside.
    """

    _name = "inventory.cost.integrity"
    _description = "Integrity of the Inventory Ledgers"

    @api.model
    def _check_integrity(self, company):
        """Return ``[(check, record, message)]`` of a company; nothing if all is well.

        ``check`` is a key of ``CHECKS``, ``record`` what it concerns, the message one
        sentence in the user's language.
        """
        self = self.sudo().with_company(company)
        self.env.flush_all()
        items = self.env["stock.cost.item"].search([("company_id", "=", company.id)])
        arguments = {
            "company": company.id,
            "owner": company.partner_id.id,
            "products": items.product_id.with_company(company)._filter_managed().ids,
            "averaged": self._averaged_over_locations(company, items.product_id),
        }
        problems = self._find_loops(company)
        for check, query in CHECKS.items():
            rows = self.env.execute_query(SQL(query, **arguments))
            for model, record_id, one_side, other_side in rows:
                record = self.env[model].browse(record_id)
                message = self._integrity_message(check, record, one_side, other_side)
                problems.append((check, record, message))
        return problems

    def _averaged_over_locations(self, company, products):
        """Return the ids of products whose cost is one average over all locations."""
        if company.average_cost_calc_type != "item":
            return []
        return (
            products.with_company(company)
            .filtered(lambda p: p.cost_method == "average" and not p.lot_valuated)
            .ids
        )

    def _find_loops(self, company):
        """Return the problem of cost that depends on itself, if it does anywhere.

        Cost follows an application from an increase to a decrease, and a return or
        transfer from that decrease to another increase.
        """
        rows = self.env.execute_query(SQL(FOLLOWED, company=company.id))
        loop = find_loop(rows)
        if not loop:
            return []
        entries = self.env["stock.ledger.entry"].browse(loop)
        message = self.env._(
            "Cost depends on itself through these ledger entries of %(product)s: "
            "%(entries)s.",
            product=entries[0].product_id.display_name,
            entries=" → ".join(f"{e.origin or '–'} (#{e.id})" for e in entries),
        )
        return [("loops", entries[0], message)]

    def _integrity_message(self, check, record, one_side, other_side):
        """Return what is wrong with a record, in plain words."""
        number = f"{record._description} #{record.id}"
        # What names a record that is gone is a problem of its own, without a name.
        gone = check == "keys" or not record.exists()
        name = number if gone else record.display_name
        messages = {
            "balances": self.env._(
                "%(record)s: the balance (quantity / actual / expected cost) is "
                "%(one)s, its value entries add up to %(other)s.",
                record=name,
                one=one_side or "0",
                other=other_side or "0",
            ),
            "keys": self.env._(
                "%(record)s: it says %(one)s, the entries it names say %(other)s "
                "(ids of ledger entry, company, product and cost location, or of "
                "journal items).",
                record=number,
                one=one_side,
                other=other_side or self.env._("nothing"),
            ),
            "quantities": self.env._(
                "%(record)s: %(one)s in stock at a cost location, %(other)s in the "
                "ledger entries.",
                record=name,
                one=one_side,
                other=other_side,
            ),
            "applications": self.env._(
                "Ledger entry %(id)s of %(record)s: its quantity is %(one)s, applied "
                "and open are %(other)s.",
                id=record.id,
                record=name,
                one=one_side,
                other=other_side,
            ),
            "emptied": self.env._(
                "%(record)s: no stock is left at %(place)s, but a value of %(other)s.",
                record=name,
                place=one_side or self.env._("any cost location"),
                other=other_side,
            ),
            "expected": self.env._(
                "Ledger entry %(id)s of %(record)s is completely invoiced, but "
                "%(other)s of expected cost is left.",
                id=record.id,
                record=name,
                other=other_side,
            ),
            "interim": self.env._(
                "Ledger entry %(id)s of %(record)s: %(one)s of its expected cost "
                "stands in the interim accounts, it should be %(other)s.",
                id=record.id,
                record=name,
                one=one_side,
                other=other_side,
            ),
            "links": self.env._(
                "%(record)s: the journal item's balance is %(one)s, what is linked to "
                "it %(other)s.",
                record=name,
                one=one_side,
                other=other_side,
            ),
        }
        return messages[check]

    @api.model
    def _cron_check_integrity(self):
        """Check every company; log what is wrong and give a manager a to-do."""
        items = self.env["stock.cost.item"].sudo()
        for (company,) in items._read_group([], ["company_id"]):
            problems = self._check_integrity(company)
            for check, record, message in problems:
                _logger.warning(
                    "Inventory ledgers of %s, %s: %s (%s)",
                    company.name,
                    check,
                    message,
                    record,
                )
            self._ask_to_look(company, [message for *_where, message in problems])

    def _ask_to_look(self, company, messages):
        """Put a to-do on the company's contact; it replaces that of earlier nights."""
        summary = self.env._("The inventory ledgers need a look")
        partner = company.partner_id.sudo()
        partner.activity_ids.filtered(
            lambda activity: activity.summary == summary
        ).unlink()
        managers = self.env.ref("inventory_cost_gl.group_manager").all_user_ids
        user = managers.filtered(
            lambda user: user.active and company in user.company_ids
        )[:1]
        if messages and user:
            partner.activity_schedule(
                "mail.mail_activity_data_warning",
                user_id=user.id,
                summary=summary,
                note=html_escape("\n".join(messages[:LISTED])).replace("\n", "<br/>"),
            )
