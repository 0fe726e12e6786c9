"""`msw agree`, `sample`, `sheet`, `drift` and `chain`, found by entry point.

Everything heavy is imported when a command runs, so that `msw --help` stays quick.
"""

from evaluation.cli.chain_error import chain
from evaluation.cli.compare import agree
from evaluation.cli.follow import drift
from evaluation.cli.prepare import sample, sheet

__all__ = ["agree", "chain", "drift", "sample", "sheet"]
