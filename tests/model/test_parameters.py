"""Parameters are declared once: the classifier has the same, with the same defaults."""

import inspect

from evergrow import GrowingClassifier
from evergrow.model.parameters import NAMES, Parameters


def test_the_classifier_has_the_same_parameters_with_the_same_defaults():
    signature = inspect.signature(GrowingClassifier.__init__).parameters
    defaults = {k: p.default for k, p in signature.items() if k != "self"}
    assert defaults == dict(Parameters().items())
    assert tuple(GrowingClassifier().get_params(deep=False)) == tuple(sorted(NAMES))


def test_values_stay_as_they_were_given():
    size = [32, 32]
    assert dict(Parameters(image_size=size).items())["image_size"] is size


def test_no_seed_is_a_seed_too():
    assert Parameters(random_state=None).seed == 0
    assert Parameters(random_state=7).seed == 7
