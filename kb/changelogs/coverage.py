"""How much of a section's text found its place: the figure that tells of a layout that nobody has described yet."""

from dataclasses import dataclass

from kb.changelogs.blocks import Block, weight


@dataclass
class Coverage:
    """Characters of one section, and those that no rule knew a place for."""

    all: int = 0
    lost: int = 0

    def placed(self, block: Block) -> None:
        self.all += weight(block)

    def unplaced(self, block: Block) -> None:
        self.all += weight(block)
        self.lost += weight(block)

    @property
    def share(self) -> float:
        """From 0 to 1; 1 of an empty section."""
        return 1 - self.lost / self.all if self.all else 1.0
