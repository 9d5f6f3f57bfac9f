"""Mutation testing of the rules: plants one fault at a time and runs their tests.

A mutant that no test notices shows what is untested. Some can't be noticed, because
they change nothing that matters: ``SURVIVORS`` names them, each with its reason, and
they are not run again. Any other survivor is a failure, and so is a reason whose
mutant is no more.

Own code rather than mutmut or cosmic-ray: mutmut leaves a module's tables (the account
roles are one) alone, and cosmic-ray starts a pytest for each mutant, where this one
forks one that is loaded already and runs the tests that reach the mutated function,
the quickest first.

Usage: mutation.py [--jobs N] [--seconds N] [FILE...], such as costing/rounding.py
"""

import argparse
import gc
import importlib.abc
import importlib.util
import os
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from types import CodeType, FunctionType

import pytest
from hypothesis import HealthCheck, Phase, settings
from mutants import mutants

SOURCE = Path(__file__).resolve().parents[1] / "inventory_cost_gl"
SURVIVORS = SOURCE / "tests" / "mutation_survivors.txt"
# A copy, so that the tree can be worked on meanwhile.
ADDON = Path(tempfile.gettempdir()).resolve() / f"mutation-{os.getpid()}"
PACKAGES = ("costing", "posting")
MEMORY = 2 * 1024**3
TOOL_FAILED = 99
# Code that runs when the module is loaded, though it looks like a function.
AT_ONCE = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
# As the tests' own profile, but without looking for the smallest example.
settings.register_profile(
    "mutation",
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
PYTEST_OPTIONS = [
    "-o",
    "addopts=",
    "-p",
    "no:odoo",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:terminal",
    "--hypothesis-profile=mutation",
]


# -- Survivors with a reason ----------------------------------------------------------


def read_survivors():
    """Return ``{mutant as text: reason}`` of the file of survivors."""
    found, lines = {}, []
    for line in SURVIVORS.read_text().splitlines() if SURVIVORS.exists() else ():
        if line.startswith("#") or not line.strip():
            continue
        if not line.startswith(" "):
            lines = []
        lines.append(line)
        if len(lines) == 4:
            found["\n".join(lines[:3])] = line.strip()
    return found


# -- Planting a fault -----------------------------------------------------------------


def changed_functions(old, new):
    """Return ``{(name, line): code}`` of the functions whose code differs.

    ``None`` if the fault is outside of functions: then the module has to be loaded
    with it.
    """
    if old.co_code != new.co_code or _plain(old) != _plain(new):
        return None
    found = {}
    for before, after in zip(_nested(old), _nested(new), strict=True):
        if before == after:
            continue
        if _is_class(before):
            inner = changed_functions(before, after)
            if inner is None:
                return None
            found.update(inner)
        elif before.co_name in AT_ONCE:
            return None
        else:
            found[before.co_qualname, before.co_firstlineno] = after
    return found


def _is_class(code):
    """Say whether code is the body of a class."""
    return "__qualname__" in code.co_names and "__module__" in code.co_names


def _nested(code):
    return [const for const in code.co_consts if isinstance(const, CodeType)]


def _plain(code):
    """Return all that a code uses but the code in it."""
    consts = [repr(c) for c in code.co_consts if not isinstance(c, CodeType)]
    return consts, code.co_names


def _functions(code):
    """Return the codes of a module's functions and methods, not those inside them."""
    return [
        found
        for nested in _nested(code)
        for found in (_functions(nested) if _is_class(nested) else [nested])
    ]


def loaded_functions():
    """Return ``{(file, name, line): functions}`` of the rules as they are loaded."""
    found = defaultdict(list)
    for function in gc.get_objects():
        if isinstance(function, FunctionType):
            code = function.__code__
            if code.co_filename.startswith(str(ADDON)):
                place = (code.co_filename, code.co_qualname, code.co_firstlineno)
                found[place].append(function)
    return found


class MutatedModule(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads one module from its mutated code."""

    def __init__(self, name, path, code):
        self.name, self.path, self.code = name, path, code

    def find_spec(self, fullname, path=None, target=None):
        if fullname == self.name:
            return importlib.util.spec_from_file_location(
                fullname, self.path, loader=self
            )
        return None

    def exec_module(self, module):
        exec(self.code, module.__dict__)


def forget_modules():
    """Forget the rules and their tests, so that they are loaded anew."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and ADDON in Path(file).resolve().parents:
            del sys.modules[name]


# -- Running the tests ----------------------------------------------------------------


class Quickest:
    """Runs the tests in order of the time they take; notes whether one failed."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.failed = False

    def pytest_collection_modifyitems(self, items):
        items.sort(key=lambda item: self.seconds.get(item.nodeid, 0))

    def pytest_runtest_logreport(self, report):
        self.failed |= report.failed

    def pytest_collectreport(self, report):
        self.failed |= report.failed


class Tester:
    """A pytest session that first runs as usual, then once for each mutant."""

    def __init__(self, package, files, known, options):
        self.files, self.known, self.options = files, known, options
        self.tests = ADDON / "tests" / package
        self.reached = defaultdict(set)
        self.functions, self.seconds, self.item_id = {}, {}, None
        self.failed = ""
        self.count, self.survivors, self.keys = 0, [], set()
        self.not_run = 0
        self.late = None
        # How many mutants each test has noticed: those go first.
        self.noticed_by_test = Counter()

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.failed = report.nodeid

    def pytest_runtestloop(self, session):
        """Take the place of pytest's own loop."""
        for item in session.items:
            self.measure(item)
        if self.failed or session.testsfailed:
            raise pytest.UsageError(f"without any mutant fails: {self.failed}")
        self.late = time.monotonic() + self.options.seconds
        items = {item.nodeid: item for item in session.items}
        self.functions = loaded_functions()
        gc.freeze()
        self.check_itself(items)
        for file in self.files:
            self.try_file(file, items)
        return True

    def measure(self, item):
        """Run a test, noting the time it takes and the functions it reaches."""
        self.item_id = item.nodeid
        began = time.process_time()
        sys.settrace(self.trace)
        try:
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        finally:
            sys.settrace(None)
        self.seconds[item.nodeid] = time.process_time() - began

    def trace(self, frame, _event, _argument):
        """Note which function was called; its lines don't matter."""
        code = frame.f_code
        if code.co_filename.startswith(str(ADDON)):
            place = (code.co_filename, code.co_qualname, code.co_firstlineno)
            self.reached[place].add(self.item_id)

    def check_itself(self, items):
        """Refuse to go on if the tests fail when nothing but the code is exchanged."""
        path = ADDON / self.files[0]
        code = compile(path.read_text(), str(path), "exec")
        codes = {(f.co_qualname, f.co_firstlineno): f for f in _functions(code)}
        for check in (
            lambda: self.noticed_in(codes, path, items),
            lambda: self.noticed_anew(path, code),
        ):
            pid, _notes = self.fork(check)
            if os.waitpid(pid, 0)[1]:
                raise pytest.UsageError("the tests fail on unchanged code")

    def try_file(self, file, items):
        """Try all mutants of a file, some at a time."""
        path = ADDON / file
        source = path.read_text()
        old = compile(source, str(path), "exec")
        running, survived, began = {}, [], os.times()
        todo = mutants(file, source)
        self.keys.update(str(mutant) for mutant in todo)
        todo = [mutant for mutant in todo if str(mutant) not in self.known]
        for mutant in todo:
            if time.monotonic() > self.late:
                self.not_run += 1
                continue
            if len(running) == self.options.jobs:
                survived += self.wait(running)
            pid, notes = self.fork(self.noticed, mutant, path, old, items)
            running[pid] = mutant, notes
            self.count += 1
        while running:
            survived += self.wait(running)
        self.survivors += sorted(survived, key=lambda mutant: mutant.line)
        print(
            f"{file}: {len(todo)} mutants, {len(survived)} survived, "
            f"{os.times().elapsed - began.elapsed:.0f} s, "
            f"{os.times().children_user - began.children_user:.0f} s of work",
            flush=True,
        )
        for mutant in sorted(survived, key=lambda mutant: mutant.line):
            print(f"{mutant}    (line {mutant.line})", flush=True)

    def wait(self, running):
        """Wait until a child ends; return its mutant in a list if it survived."""
        pid, status = os.wait()
        mutant, notes = running.pop(pid)
        with os.fdopen(notes) as lines:
            self.noticed_by_test.update(lines.read().splitlines())
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == TOOL_FAILED:
            raise RuntimeError(f"can't be tried:\n{mutant}")
        return [mutant] if status == 0 else []

    def fork(self, noticed, *arguments):
        """Start a child; its status is 0 if no test notices what it does.

        Returns its number and where it notes the test that did.
        """
        notes, self.notes = os.pipe()
        pid = os.fork()
        if pid:
            os.close(self.notes)
            return pid, notes
        status = TOOL_FAILED
        try:
            silent = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silent, 1)
            os.dup2(silent, 2)
            status = int(noticed(*arguments))
        except MemoryError:
            status = 1
        finally:
            os._exit(status)

    def noticed(self, mutant, path, old, items):
        """Say whether a test fails with a mutant."""
        new = compile(mutant.tree, str(path), "exec")
        codes = changed_functions(old, new)
        if codes is None:
            return self.noticed_anew(path, new)
        return self.noticed_in(codes, path, items)

    def noticed_in(self, codes, path, items):
        """Say whether a test that reaches a function fails with its other code."""
        tests = set()
        for (name, line), code in codes.items():
            for function in self.functions[str(path), name, line]:
                function.__code__ = code
            tests |= self.reached[str(path), name, line]
        self.limit(sum(self.seconds[test] for test in tests))
        tests = sorted(tests, key=self.order)
        return self.noticed_by(items[test] for test in tests)

    def order(self, test):
        """Return the place of a test: the most successful first, then the quickest."""
        return -self.noticed_by_test[test], self.seconds[test]

    def noticed_by(self, items):
        """Run tests until one fails."""
        self.failed = ""
        for item in items:
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
            if self.failed:
                os.write(self.notes, item.nodeid.encode())
                return True
        return False

    def noticed_anew(self, path, code):
        """Load the rules and their tests with a mutated module, and run them all."""
        self.limit(sum(self.seconds.values()))
        forget_modules()
        name = ".".join(path.relative_to(ADDON).with_suffix("").parts)
        sys.meta_path.insert(0, MutatedModule(name, str(path), code))
        plugin = Quickest(self.seconds)
        status = pytest.main([*PYTEST_OPTIONS, "-x", str(self.tests)], [plugin])
        return plugin.failed or status != 0

    @staticmethod
    def limit(usual):
        """End the child that takes much longer than the tests did, or much memory.

        They were slower when their calls were traced.
        """
        seconds = int(time.process_time() + 5 + usual)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def files_of(package, chosen):
    """Return the files of a package to mutate, those chosen or all."""
    files = sorted(
        str(path.relative_to(SOURCE)) for path in (SOURCE / package).glob("*.py")
    )
    return [file for file in chosen if file in files] or files * (not chosen)


def main(arguments):
    """Return the exit status: 0 if every survivor has its reason."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--seconds", type=int, default=1800, help="stop after these")
    parser.add_argument("files", nargs="*")
    options = parser.parse_args(arguments)
    known = read_survivors()
    wrong = set(options.files) - {
        file for package in PACKAGES for file in files_of(package, [])
    }
    if wrong:
        parser.error(f"not a file of the rules: {', '.join(sorted(wrong))}")
    began, status = time.monotonic(), 0
    for package in (*PACKAGES, "tests"):
        shutil.copytree(SOURCE / package, ADDON / package)
    try:
        for package in PACKAGES:
            files = files_of(package, options.files)
            if files:
                status |= run(package, files, known, options)
    finally:
        shutil.rmtree(ADDON)
    print(f"{time.monotonic() - began:.0f} s")
    return status


def run(package, files, known, options):
    """Try the mutants of a package's files; return the exit status."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    tester = Tester(package, files, known, options)
    os.chdir(tester.tests)
    if (
        pytest.main([*PYTEST_OPTIONS, str(tester.tests)], [tester])
        != pytest.ExitCode.OK
    ):
        print(f"{package}: the tests of the rules can't be run, or fail", flush=True)
        os._exit(1)
    stale = [
        mutant
        for mutant in known
        if mutant.split(" ")[0] in files and mutant not in tester.keys
    ]
    for mutant in stale:
        print(f"This mutant is no more, remove its reason:\n{mutant}")
    print(
        f"{package}: {tester.count} mutants run, {len(tester.survivors)} survivors "
        f"without a reason, {len(tester.keys & set(known))} with one"
        + (f", {tester.not_run} not run for lack of time" * bool(tester.not_run)),
        flush=True,
    )
    os._exit(int(bool(tester.survivors or stale or tester.not_run)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
