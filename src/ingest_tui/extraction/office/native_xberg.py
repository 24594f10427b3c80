"""The native module of xberg, without the layer of Python around it.

As it is imported, that layer makes four hundred data classes, in 0.1 s of processor time for each parser process, only
to pass what they hold on to classes of the same names.
"""

from __future__ import annotations

import functools
import sys
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import Any

_NAME = "xberg._xberg"


@functools.cache
def native_xberg() -> Any:
    """Return the module; raises ImportError where xberg is not installed."""
    if _NAME in sys.modules:
        return sys.modules[_NAME]
    package = find_spec("xberg")
    folders = package.submodule_search_locations if package is not None else None
    spec = PathFinder.find_spec(_NAME, folders) if folders else None
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"No module named {_NAME!r}", name=_NAME)
    module = module_from_spec(spec)
    sys.modules[_NAME] = module  # a native module is made once in a process; who imports xberg later finds it here
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[_NAME]
        raise
    return module
