"""kb: a knowledge base of deep-learning frameworks that measures itself."""

__version__ = "0.1.0"
