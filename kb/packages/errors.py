"""What is wrong with a file of packages that a user named."""


class PackageFileError(ValueError):
    """The file cannot be read as what it should be. One line: what, where, what to do."""
