"""Things that have a name: found by it, imported when asked for. Lists are plain data, no torch."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import import_module
from typing import Any, Generic, Protocol, TypeVar

from .errors import SettingError


class Named(Protocol):
    """What every entry of a registry has."""

    @property
    def name(self) -> str: ...


E = TypeVar("E", bound=Named)


def meant(name: str, known: Iterable[str], shown: Callable[[str], Any] = str) -> str:
    """The nearest names that there are, for a message; "" where none is near.

    shown: how each is put.

    >>> meant("patchs", ["patches", "mlp"]), meant("x", ["patches"])
    (' (did you mean patches?)', '')
    """
    near = dict.fromkeys(map(shown, get_close_matches(name.lower(), list(known))))
    near.pop(name, None)  # known, and asked for in the wrong way
    return f" (did you mean {' or '.join(map(str, near))}?)" if near else ""


@dataclass(frozen=True)
class Registry(Generic[E]):
    """The entries of one kind.

    kind: "method", as messages call it.  package: where their files lie, if they are classes
    (an entry then has a `file` and a `cls`).  otherwise: what may be said in place of a name.
    aliases: names of before, with those of today.
    """

    kind: str
    entries: Sequence[E]
    package: str = ""
    otherwise: str = ""
    nor: str = ""
    aliases: Mapping[str, str] = field(default_factory=dict)

    def canonical(self, name: Any) -> Any:
        """Today's name for a name of before; anything else as it is."""
        return self.aliases.get(name, name) if isinstance(name, str) else name

    def named(self, name: str) -> E | None:
        """The entry of a name or an alias; None where there is none."""
        return next((e for e in self.entries if e.name == self.canonical(name)), None)

    def unknown(self, name: str, known: Sequence[str] = ()) -> SettingError:
        """The error of a name that is not known: the nearest ones, and all there are.

        known: how the names are listed, where an entry is asked for by more than its name.
        """
        names = [*(e.name for e in self.entries), *self.aliases]
        near = meant(name, names, self.canonical)
        listed = ", ".join(known or [e.name for e in self.entries])
        return SettingError(
            f"there is no {self.kind} {name!r}{near}{self.nor}; there are: {listed}"
            f"{self.otherwise}."
        )

    def load(self, entry: Any) -> Any:
        """The class of an entry, imported now."""
        return getattr(import_module(f".{entry.file}", self.package), entry.cls)

    def attribute(self, name: str) -> Any:
        """The class of this name, for the lazy `__getattr__` of the package that lists it."""
        for entry in self.entries:
            if getattr(entry, "cls", None) == self.canonical(name):
                return self.load(entry)
        raise AttributeError(f"module {self.package!r} has no attribute {name!r}")

    def name_of(self, thing: object) -> str | None:
        """The name of an object of one of the classes; None for any other's."""
        cls = type(thing)
        mine = [e for e in self.entries if getattr(e, "cls", None) == cls.__name__]
        return next((e.name for e in mine if self.load(e) is cls), None)

    def make(self, name: str, cls: Any, settings: Mapping[str, Any]) -> Any:
        """An object of a class.  Raises SettingError for settings that it does not take."""
        try:
            return cls(**settings)
        except TypeError as error:
            message = f"{self.kind} {name!r} does not take these settings: {error}"
            raise SettingError(message) from None
