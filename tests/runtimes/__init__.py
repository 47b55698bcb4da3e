"""Tests of `kb.runtimes`."""
