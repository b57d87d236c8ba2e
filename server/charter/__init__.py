"""Charter reviews Python against a charter of 47 principles; this package is the engine and its front doors."""

__version__ = "0.1.0"
