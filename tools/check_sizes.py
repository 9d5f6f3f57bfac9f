#!/usr/bin/env python3
"""Check what no linter checks, and print one line per finding.

* a function has at most 70 lines, a file in models/ at most 400;
* public classes, methods and functions of the code folders have a docstring;
* costing/ and posting/ are plain Python: they never import Odoo.

Usage: check_sizes.py ADDON_FOLDER...
"""

import ast
import sys
from pathlib import Path

MAX_FUNCTION = 70
MAX_MODEL_FILE = 400
CODE_FOLDERS = ("models", "wizards", "report", "costing", "posting")
PLAIN_FOLDERS = ("costing", "posting")

Function = (ast.FunctionDef, ast.AsyncFunctionDef)


def public_definitions(body):
    """Yield the public classes, methods and functions of a module or class."""
    for node in body:
        if isinstance(node, (ast.ClassDef, *Function)) and node.name[0] != "_":
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public_definitions(node.body)


def imports_odoo(node):
    """Tell whether a node is an import of Odoo."""
    if isinstance(node, ast.ImportFrom):
        return not node.level and (node.module or "").split(".")[0] == "odoo"
    if isinstance(node, ast.Import):
        return any(alias.name.split(".")[0] == "odoo" for alias in node.names)
    return False


def check_file(path, folder):
    """Yield the line and the text of each finding in one file."""
    source = path.read_text()
    tree = ast.parse(source, str(path))
    lines = source.count("\n")
    if folder == "models" and lines > MAX_MODEL_FILE:
        yield 1, f"{lines} lines, at most {MAX_MODEL_FILE} are allowed"
    for node in ast.walk(tree):
        if isinstance(node, Function):
            length = node.end_lineno - node.lineno + 1
            if length > MAX_FUNCTION:
                text = f"{node.name}() has {length} lines, at most {MAX_FUNCTION}"
                yield node.lineno, f"{text} are allowed"
        if folder in PLAIN_FOLDERS and imports_odoo(node):
            yield node.lineno, f"{folder}/ must not import Odoo"
    if folder in CODE_FOLDERS:
        for node in public_definitions(tree.body):
            if not ast.get_docstring(node):
                yield node.lineno, f"{node.name} has no docstring"


def main(addons):
    """Check every Python file of the addons but their tests."""
    findings = 0
    for addon in map(Path, addons):
        for path in sorted(addon.rglob("*.py")):
            folder = path.relative_to(addon).parts[0]
            if folder == "tests":
                continue
            for line, text in check_file(path, folder):
                print(f"{path}:{line}: {text}")
                findings += 1
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
