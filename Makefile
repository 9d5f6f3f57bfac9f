# The commands of the project. Each gets by itself what it still lacks.
.PHONY: demo serve stop test test-odoo bench scenarios mutation lint format pot

demo:  ## Create the demo database and fill it
	@tools/demo

serve:  ## Odoo in the browser on the demo database, until Ctrl-C
	@tools/serve

stop:  ## Stop the server and PostgreSQL
	@tools/stop

test:  ## Every test of the project, on a fresh database
	@tools/test

test-odoo:  ## Odoo's own tests, with the addon and without it
	@tools/test_odoo

bench:  ## Speed beside Odoo's own and plain SQL (SCALE=0.02 tries it on less)
	@tools/bench

scenarios:  ## Every scenario file of DIR through documents (ENGINE=costing: the rules)
	@tools/scenarios "$(DIR)"

mutation:  ## Plant faults in the rules: the tests must notice (FILE=costing/rounding.py)
	@tools/mutation $(FILE)

lint:  ## Check style, size and OCA's rules
	@tools/lint

format:  ## Bring Python, XML and JavaScript in shape
	@tools/lint --fix

pot:  ## Export the terms to translate into each addon's i18n folder
	@tools/pot
