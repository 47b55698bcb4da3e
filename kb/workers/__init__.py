"""Running something in a fresh process with limits."""
