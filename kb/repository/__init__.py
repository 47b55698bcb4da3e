"""Git for the machine: commit what kb wrote and push it, and leave everything else in the repository as it was."""

from kb.repository.outcomes import Commit, PushOutcome, PushState, RepositoryBusy, RepositoryError
from kb.repository.repository import Repository

__all__ = ["Commit", "PushOutcome", "PushState", "Repository", "RepositoryBusy", "RepositoryError"]
