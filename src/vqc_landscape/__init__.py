"""Exact curvature of quantum loss landscapes.

The public names stand in ``__init__.pyi`` and are loaded on first use, so that importing the package needs
neither torch nor PennyLane.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
