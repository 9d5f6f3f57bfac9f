from . import test_document_cost
from . import test_document_corrections
from . import test_reconciliation
from . import test_reconciliation_screen
from . import test_document_special
