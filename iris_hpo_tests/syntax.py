"""Syntax trees of source code, for tests of how the code looks."""

import ast
import gc


def tree_of(source: str) -> ast.Module:
    """Parse source code without garbage collection.

    If an object's own code runs in it and raises, CPython 3.11 fails with a `SystemError`.
    """
    gc.disable()
    try:
        return ast.parse(source)
    finally:
        gc.enable()
