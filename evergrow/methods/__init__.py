"""How old classes are kept: a file a method, and the list. Imports every wing before it.

The list is plain data, so that it needs no torch. To add one: write a file, add its line here.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import SettingError
from ..registry import Registry

if TYPE_CHECKING:
    from .base import Method


class Entry(NamedTuple):
    """Where a method lives, and what it is: what it keeps, what it needs, its paper."""

    name: str
    file: str
    cls: str
    family: str
    keeps: str  # "nothing", or what of the past stays in the model
    needs: str  # "", or what it does not go without
    paper: str
    line: str


# fmt: off
ENTRIES = (
    # transfer
    Entry("finetune", "finetune", "FineTune", "transfer", "nothing", "", "",
          "Plain cross-entropy on whatever arrives."),
    Entry("joint", "joint", "Joint", "transfer", "all images", "", "",
          "Keeps all data, trains on all of it again."),
    Entry("imprint", "imprint", "Imprint", "transfer", "class means", "", "Qi et al. 2018",
          "Sets a new class's row to its mean feature."),
    Entry("probe", "probe", "Probe", "transfer", "nothing", "", "Alain and Bengio 2016",
          "Trains the head alone; the backbone stays."),
    Entry("cumulative", "cumulative", "Cumulative", "transfer", "all images", "", "",
          "Keeps all data, goes on from the present weights."),
    Entry("novelty-gate", "novelty_gate", "NoveltyGate", "transfer", "sums, features", "",
          "Lee et al. 2018",
          "Lets new what lies among the new classes, by distance; the network stays."),
    # regularization
    Entry("lwf", "lwf", "LwF", "regularization", "nothing", "", "Li and Hoiem 2016",
          "Distils the old network's answers on new data."),
    Entry("ewc", "ewc", "EWC", "regularization", "weights, Fisher", "", "Kirkpatrick et al. 2017",
          "Penalties on weights, by their Fisher information."),
    Entry("si", "si", "SI", "regularization", "weights, importances", "", "Zenke et al. 2017",
          "Penalties on weights, by what each did for the loss."),
    Entry("mas", "mas", "MAS", "regularization", "weights, importances", "",
          "Aljundi et al. 2018", "Penalties on weights that the outputs are sensitive to."),
    # rehearsal
    Entry("er", "er", "ER", "rehearsal", "images", "", "Chaudhry et al. 2019",
          "Replays a reservoir of past samples."),
    Entry("er-ace", "er_ace", "ERACE", "rehearsal", "images", "", "Caccia et al. 2022",
          "Replays; new data compete among themselves."),
    Entry("der", "der", "DER", "rehearsal", "images, logits", "", "Buzzega et al. 2020",
          "Replays past answers alone."),
    Entry("der++", "derpp", "DERpp", "rehearsal", "images, logits", "", "Buzzega et al. 2020",
          "Replays past samples and past answers."),
    Entry("a-gem", "agem", "AGEM", "rehearsal", "images", "", "Chaudhry et al. 2019",
          "Never steps against the memory's gradient."),
    Entry("mir", "mir", "MIR", "rehearsal", "images", "", "Aljundi et al. 2019",
          "Replays what the next step would harm most."),
    Entry("gdumb", "gdumb", "GDumb", "rehearsal", "images", "", "Prabhu et al. 2020",
          "Trains anew on a balanced memory alone."),
    Entry("icarl", "icarl", "ICaRL", "rehearsal", "images", "", "Rebuffi et al. 2017",
          "Nearest mean of exemplars; distils on them."),
    Entry("bic", "bic", "BiC", "rehearsal", "images", "", "Wu et al. 2019",
          "Two numbers correct the new classes' logits."),
    Entry("wa", "wa", "WA", "rehearsal", "images", "", "Zhao et al. 2020",
          "Replays, distils, evens out the head's rows."),
    Entry("scr", "scr", "SCR", "rehearsal", "images", "", "Mai et al. 2021",
          "Contrasts views of classes; nearest class mean."),
    Entry("reprise", "reprise", "Reprise", "rehearsal", "images, sums", "", "",
          "Balanced replay, prior-corrected; a second opinion from sums."),
    Entry("regrow", "regrow", "Regrow", "rehearsal", "images", "", "",
          "Replays a few old images, holds the old answers; for adopted networks."),
    # generative replay
    Entry("dgr", "dgr", "DGR", "generative replay", "autoencoder", "", "Shin et al. 2017",
          "Replays inputs that an autoencoder draws, labelled by the old network."),
    Entry("generative-classifier", "generative_classifier", "GenerativeClassifier",
          "generative replay", "autoencoders", "fixed backbone", "van de Ven et al. 2021",
          "Models each class by an autoencoder; the likeliest wins."),
    # expansion
    Entry("expand", "expand", "Expand", "expansion", "images, old networks", "", "Yan et al. 2021",
          "Adds a backbone a task beside the frozen old ones."),
    Entry("foster", "foster", "FOSTER", "expansion", "images", "", "Wang et al. 2022",
          "Boosts the old network by a new one, then makes one of both."),
    Entry("memo", "memo", "MEMO", "expansion", "images, old last blocks", "", "Zhou et al. 2023",
          "Adds a last block a task upon shared early layers."),
    # consolidation
    Entry("dmc", "dmc", "DMC", "consolidation", "nothing", "unlabelled inputs", "Zhang et al. 2020",
          "Teaches a student what old and new network say of unlabelled inputs."),
    Entry("dmc+", "dmc_plus", "DMCPlus", "consolidation", "nothing", "unlabelled inputs", "",
          "Finds what is new among unlabelled inputs, teaches both networks' answers."),
    # closed form
    Entry("ncm", "ncm", "NCM", "closed form", "sums", "fixed backbone", "Mensink et al. 2013",
          "Nearest class mean of fixed features."),
    Entry("lda", "lda", "LDA", "closed form", "sums", "fixed backbone", "Hayes and Kanan 2020",
          "Linear discriminant analysis, noise-corrected; exact."),
    Entry("ridge", "ridge", "Ridge", "closed form", "sums", "fixed backbone",
          "Zhuang et al. 2022", "Ridge regression to one-hot targets; exact."),
    Entry("acil", "acil", "ACIL", "closed form", "sums", "fixed backbone", "Zhuang et al. 2022",
          "Ridge regression on random features, fixed penalty."),
    Entry("ds-al", "ds_al", "DSAL", "closed form", "sums", "fixed backbone",
          "Zhuang et al. 2024", "ACIL, and a second stream fitted to what it leaves."),
    Entry("ranpac", "ranpac", "RanPAC", "closed form", "sums", "fixed backbone",
          "McDonnell et al. 2023", "Ridge on random features, penalty chosen; may adapt first."),
    Entry("fecam", "fecam", "FeCAM", "closed form", "sums of each class", "fixed backbone",
          "Goswami et al. 2023", "Mahalanobis distance, a covariance for each class."),
)
# fmt: on
__all__ = [entry.cls for entry in ENTRIES]
ALIASES = {"gate": "novelty-gate", "Gate": "NoveltyGate"}  # what they were called before
REGISTRY = Registry(
    "method", ENTRIES, __name__, otherwise=", or package.module:Class", aliases=ALIASES
)
find, canonical = REGISTRY.named, REGISTRY.canonical


def get(name: str, **settings: Any) -> "Method":
    """A method by name, with settings; `package.module:Class` names one of your own.

    >>> get("er", memory=500)
    ER(memory=500, replay=32)
    """
    return REGISTRY.make(name, _class(name), settings)  # type: ignore[no-any-return]


def name_of(method: "Method") -> str:
    """The name that `get` knows this method by."""
    cls = type(method)
    return REGISTRY.name_of(method) or f"{cls.__module__}:{cls.__qualname__}"


def _class(name: str) -> Any:
    entry = find(name)
    if entry is not None:
        return REGISTRY.load(entry)
    module, _, cls = name.partition(":")
    if not cls:
        raise REGISTRY.unknown(name)
    try:
        return getattr(import_module(module), cls)
    except (ImportError, AttributeError) as error:
        raise SettingError(f"method {name!r} could not be imported: {error}") from None


def __getattr__(cls: str) -> Any:
    if cls == "Method":
        return import_module(".base", __name__).Method
    return REGISTRY.attribute(cls)
