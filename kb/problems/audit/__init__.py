"""`kb audit`: which notes are about this environment, a list of requirements, or a model."""
