"""The one exception of this room: a model that cannot be found, made, read or judged."""


class ModelError(ValueError):
    """One line for a person: which model or file, what is wrong with it, what was expected or what to do."""
