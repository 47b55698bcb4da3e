"""Exit codes, and which error means which: a cron job must tell "slower", "broken" and "measured nothing" apart."""

from enum import IntEnum


class Exit(IntEnum):
    """What the process ends with. Nothing measured is never success."""

    OK = 0
    USAGE = 2  #: wrong options or settings, or a file that is not as it should be
    REGRESSION = 3  #: only with --fail-on-regression, and in `kb upgrade` with --fail-on-breaking
    AFFECTED = 3  #: only with `kb audit --fail-on`: a problem that is that bad is here
    SOME_FAILED = 4  #: some cases, a stage of `kb refresh`, or a check of problem notes
    NOTHING_MEASURED = 5  #: or nothing known of what was asked for
    NOTHING_FOUND = 5  #: the same for a search
    ENVIRONMENT = 6  #: something that is needed is not installed or cannot be reached


def exit_of(error: Exception) -> Exit | None:
    """The exit code for an error that is the caller's or the surroundings' doing; None for a fault of kb.

    Imports the rooms only now, when something has gone wrong.
    """
    from kb.changelogs.upgrade.errors import UpgradeError
    from kb.config import ConfigError
    from kb.convert.errors import ConversionError, NotInstalled
    from kb.discovery import UnknownPart
    from kb.measure.runs import ResumeError
    from kb.measure.selection import SelectionError
    from kb.models.errors import ModelError
    from kb.packages.errors import PackageFileError
    from kb.problems.errors import MissingPart, ProblemError
    from kb.records.damage import DamagedFile
    from kb.records.folder import RunError
    from kb.repository import RepositoryError
    from kb.site.engine import EngineError

    if isinstance(
        error,
        ConversionError
        | ConfigError
        | SelectionError
        | UnknownPart
        | ResumeError
        | ModelError
        | DamagedFile
        | RunError
        | UpgradeError
        | ProblemError
        | PackageFileError,
    ):
        return Exit.USAGE
    if isinstance(
        error, NotInstalled | MissingPart | RepositoryError | EngineError | OSError
    ):  # OSError: a full disk, a folder that is closed
        return Exit.ENVIRONMENT
    return None
