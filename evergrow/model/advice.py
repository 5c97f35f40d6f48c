"""What to expect of learning a chunk, before it is learnt: rules from facts to words and numbers.

Forecasts are of the mean recall of classes, each counting alike, on data like that learnt. Their
bounds were fitted on digits, five classes of Fashion-MNIST and vowels; `benchmarks/forecasts.py`
says how often they hold on other data.
"""

from collections.abc import Callable

from .advice_entry import Advice
from .advice_facts import Facts
from .advice_on_backbone import more_features_than_samples, untrained_backbone
from .advice_on_beginning import folders_of_folders, no_pretrained_network, one_class
from .advice_on_old_classes import (
    adopted_alone,
    few_remembered,
    new_classes_alone,
    no_auxiliary,
    outlook,
    regularization_alone,
    small_memory,
)
from .advice_on_samples import few_samples, imbalance, unlike_inputs

RULES: tuple[Callable[[Facts], Advice | None], ...] = (
    folders_of_folders,
    one_class,
    no_pretrained_network,
    new_classes_alone,
    regularization_alone,
    small_memory,
    adopted_alone,
    few_remembered,
    no_auxiliary,
    few_samples,
    imbalance,
    unlike_inputs,
    untrained_backbone,
    more_features_than_samples,
    outlook,
)


def advise(facts: Facts) -> list[Advice]:
    """What every rule says of these facts; nothing where all is well and nothing can be foretold.

    >>> facts = Facts("finetune", classes="abcd", old=2, learnt=[9, 9, 0, 0], coming=[0, 0, 9, 9])
    >>> [(advice.rule, advice.forecast) for advice in advise(facts)]
    [('new-classes-alone', (0.4, 0.52))]
    """
    remarks = [rule(facts) for rule in RULES]
    return [advice for advice in remarks if advice is not None]
