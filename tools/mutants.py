"""The mutants of a Python file: small faults that a good test must notice."""

import ast
import copy
from collections import Counter
from typing import NamedTuple

# What an operator is replaced by; for an order, its border and its opposite.
OPERATORS = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
}
FUNCTIONS = {"min": "max", "max": "min", "any": "all", "all": "any"}
FUNCTION_NODES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
# Words for the reader only, and what has no effect when the program runs.
NOT_MUTATED = (ast.Raise, ast.Import, ast.ImportFrom, ast.JoinedStr, ast.Assert)


class Mutant(NamedTuple):
    """A fault: ``old`` becomes ``new`` in the ``number``-th such line of ``where``."""

    file: str
    where: str
    old: str
    new: str
    number: int
    line: int
    tree: ast.Module

    @property
    def key(self):
        """What the mutant is known by, wherever its line moves."""
        return (self.file, self.where, self.old, self.new, self.number)

    def __str__(self):
        again = f" ({self.number})" if self.number > 1 else ""
        return f"{self.file} {self.where}{again}\n    - {self.old}\n    + {self.new}"


class _Finder:
    """Walks through a tree and keeps the places that can be changed."""

    def __init__(self):
        # (statement, names of the functions around, parent, field, index, new node)
        self.found = []

    def walk(self, node, statement, names):
        """Visit what is below a node."""
        for field, value in ast.iter_fields(node):
            if field in ("annotation", "returns", "decorator_list", "ctx"):
                continue
            for index, child in enumerate(
                value if isinstance(value, list) else [value]
            ):
                place = (node, field, index if isinstance(value, list) else None)
                if isinstance(child, ast.AST):
                    self.visit(child, place, statement, names)

    def visit(self, node, place, statement, names):
        """Keep the mutants of a node, then visit what is below it."""
        if isinstance(node, ast.stmt):
            statement = node
            if isinstance(node, (ast.Expr, *NOT_MUTATED)) and (
                not isinstance(node, ast.Expr) or isinstance(node.value, ast.Constant)
            ):
                if isinstance(node, ast.Raise):
                    self.keep(statement, names, place, ast.Pass())
                return
        elif isinstance(node, NOT_MUTATED):
            return
        if _is_border(node, place[0]):
            return
        for new in replacements(node):
            self.keep(statement, names, place, new)
        if isinstance(node, FUNCTION_NODES) and not isinstance(node, ast.Lambda):
            names = (*names, node.name)
        self.walk(node, statement, names)

    def keep(self, statement, names, place, new):
        """Remember a place and what is put there."""
        self.found.append((statement, names, *place, new))


def replacements(node):
    """Return the nodes that a node is replaced by, one for each mutant."""
    kind = f"_{type(node).__name__.lower()}"
    return _KINDS[kind](node) if kind in _KINDS else []


def _changed(node, **fields):
    """Return a copy of a node with other fields."""
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def _compare(node):
    """Other operators, one at a time."""
    return [
        _changed(node, ops=[*node.ops[:at], new(), *node.ops[at + 1 :]])
        for at, operator in enumerate(node.ops)
        for new in OPERATORS[type(operator)]
    ]


def _operator(node):
    """Another operator."""
    return [_changed(node, op=new()) for new in OPERATORS.get(type(node.op), ())]


def _augmented(node):
    """Another operator, or no statement."""
    return [*_operator(node), ast.Pass()]


def _unary(node):
    """The operand alone."""
    return [node.operand]


def _constant(node):
    """Another number, truth value or word."""
    value = node.value
    if isinstance(value, bool):
        return [ast.Constant(not value)]
    if isinstance(value, int):
        return [ast.Constant(value + 1)]
    if isinstance(value, str):
        return [ast.Constant(value + "_")]
    return []


def _call(node):
    """min for max, any for all."""
    name = node.func.id if isinstance(node.func, ast.Name) else None
    if name in FUNCTIONS:
        return [_changed(node, func=ast.Name(FUNCTIONS[name], ast.Load()))]
    return []


def _condition(node):
    """A condition that is neither compared nor negated already, turned round."""
    if isinstance(node.test, ast.Compare) or (
        isinstance(node.test, ast.UnaryOp) and isinstance(node.test.op, ast.Not)
    ):
        return []
    return [_changed(node, test=ast.UnaryOp(ast.Not(), node.test))]


def _comprehension(node):
    """Without each of its conditions."""
    return [
        _changed(node, ifs=node.ifs[:at] + node.ifs[at + 1 :])
        for at in range(len(node.ifs))
    ]


def _no_statement(_node):
    """Nothing in its place."""
    return [ast.Pass()]


def _assign(node):
    """An attribute or item that is not set."""
    kinds = (ast.Attribute, ast.Subscript)
    return [ast.Pass()] if isinstance(node.targets[0], kinds) else []


def _return(node):
    """Nothing returned; a constant is changed instead."""
    if node.value is None or _is_none(node.value):
        return [ast.Pass()]
    if isinstance(node.value, ast.Constant):
        return []
    return [ast.Return(ast.Constant(None))]


def _is_border(node, parent):
    """Say whether a number is compared with: the operator is changed instead."""
    return (
        isinstance(parent, ast.Compare)
        and isinstance(node, ast.Constant)
        and isinstance(node.value, int)
    )


def _is_none(node):
    return isinstance(node, ast.Constant) and node.value is None


_KINDS = {
    "_compare": _compare,
    "_binop": _operator,
    "_boolop": _operator,
    "_assign": _assign,
    "_augassign": _augmented,
    "_unaryop": _unary,
    "_constant": _constant,
    "_call": _call,
    "_if": _condition,
    "_ifexp": _condition,
    "_while": _condition,
    "_comprehension": _comprehension,
    "_expr": _no_statement,
    "_return": _return,
    "_break": lambda _node: [ast.Continue()],
    "_continue": lambda _node: [ast.Break()],
}


def _put(parent, field, index, node):
    """Put a node in its parent's field; return what was there."""
    if index is None:
        old = getattr(parent, field)
        setattr(parent, field, node)
    else:
        old = getattr(parent, field)[index]
        getattr(parent, field)[index] = node
    return old


def _text(statement):
    """Return a statement in one line, a block's head only."""
    body = [f for f in ("body", "orelse", "finalbody") if hasattr(statement, f)]
    bare = _changed(statement, **{field: [] for field in body}) if body else statement
    text = ast.unparse(ast.fix_missing_locations(bare))
    return " ".join(text.split())


def _shown(statement, mutated):
    """Return both texts; of long ones (a table) the part that differs."""
    old, new = _text(statement), _text(mutated)
    if max(len(old), len(new)) <= 120:
        return old, new
    start = next(at for at in range(len(old)) if old[: at + 1] != new[: at + 1])
    start = max(0, old.rfind("(", 0, start))
    return old[start : start + 120], new[start : start + 120]


def mutants(file, source):
    """Return the ``Mutant`` list of a source, in the order of its lines."""
    tree = ast.parse(source)
    finder = _Finder()
    finder.walk(tree, None, ())
    count, result = Counter(), []
    for statement, names, parent, field, index, new in finder.found:
        before = copy.deepcopy(statement)
        old_node = _put(parent, field, index, new)
        whole = new if old_node is statement else statement
        mutated = ast.fix_missing_locations(copy.deepcopy(tree))
        old, changed = _shown(before, whole)
        _put(parent, field, index, old_node)
        where = ".".join(names) or "(module)"
        count[where, old, changed] += 1
        number = count[where, old, changed]
        result.append(Mutant(file, where, old, changed, number, before.lineno, mutated))
    return result
