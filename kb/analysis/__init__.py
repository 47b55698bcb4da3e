"""From rows to findings: which run speaks for a cell, its figures, its speed against eager, and what that is worth."""
