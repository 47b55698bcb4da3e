"""Practices as benchmarks: advice that teams repeat (mixed precision, data loaders, custom operators), measured."""
