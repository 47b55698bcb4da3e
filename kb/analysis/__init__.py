"""From rows to findings: compare, steps, causes, coverage."""
