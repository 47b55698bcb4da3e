"""How a project's parts are called: by code that imports them, and by release notes that shorten them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Parts = tuple[str, ...]


@dataclass(frozen=True)
class Naming:
    """The names of one project."""

    roots: tuple[str, ...]  #: packages that code imports; the one that the notes mean comes first
    #: What the notes write for what: ``nn`` for ``torch.nn``.
    aliases: Mapping[str, str] = field(default_factory=dict)
    #: Names in code that are another name of the project's: ``tensorflow.keras`` for ``keras``.
    doubles: Mapping[str, str] = field(default_factory=dict)

    @property
    def packages(self) -> frozenset[str]:
        """Top-level packages whose names in code are of interest."""
        names = (*self.roots, *self.doubles)
        return frozenset(name.partition(".")[0] for name in names)

    def absolute(self, parts: Parts) -> Parts | None:
        """A name as code has it, or None where it does not begin with the package or an alias of it."""
        for length in range(len(parts), 0, -1):
            full = self.aliases.get(".".join(parts[:length]))
            if full:
                return (*full.split("."), *parts[length:])
        return parts if parts[0] in {root.partition(".")[0] for root in self.roots} else None

    def expanded(self, parts: Parts) -> Parts:
        """A name that is not absolute, below the package."""
        return (*self.roots[0].split("."), *parts)

    def rewritten(self, symbol: str) -> str | None:
        """The project's own name for a double of it in code, or None where it is none."""
        for double, own in self.doubles.items():
            if symbol == double or symbol.startswith(f"{double}."):
                return own + symbol[len(double) :]
        return None


NAMINGS: dict[str, Naming] = {
    "torch": Naming(
        ("torch",), {"nn": "torch.nn", "F": "torch.nn.functional", "optim": "torch.optim", "dist": "torch.distributed"}
    ),
    "tensorflow": Naming(
        ("tensorflow",), {"tf": "tensorflow"}, {"keras": "tensorflow.keras", "tensorflow.compat.v2": "tensorflow"}
    ),
    "keras": Naming(("keras",), {"tf.keras": "keras", "tensorflow.keras": "keras"}, {"tensorflow.keras": "keras"}),
    "jax": Naming(("jax", "jaxlib"), {"jnp": "jax.numpy", "lax": "jax.lax", "jsp": "jax.scipy"}),
    "jaxlib": Naming(("jaxlib", "jax")),
    "numpy": Naming(("numpy",), {"np": "numpy"}),
    "onnxruntime": Naming(("onnxruntime",), {"ort": "onnxruntime"}),
    "pytorch-lightning": Naming(
        ("pytorch_lightning", "lightning"), {"pl": "pytorch_lightning"}, {"lightning.pytorch": "pytorch_lightning"}
    ),
    "lightning": Naming(("lightning", "pytorch_lightning"), {"L": "lightning", "pl": "lightning.pytorch"}),
    "scikit-learn": Naming(("sklearn",)),
    "pillow": Naming(("PIL",)),
}


def naming_of(project: str) -> Naming:
    """The names of a project; for one that is not known, those that its own name lets expect."""
    return NAMINGS.get(project) or Naming((project.replace("-", "_").replace(".", "_"),))
