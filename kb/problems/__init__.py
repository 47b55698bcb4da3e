"""The problem log: notes that people write, found from a traceback, checked against what is installed."""
