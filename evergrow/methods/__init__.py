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
    """Where a method lives, and what it is: what it keeps and needs, its paper, its settings."""

    name: str
    file: str
    cls: str
    family: str
    keeps: str  # "nothing", or what of the past stays in the model
    needs: str  # "", or what it does not go without
    paper: str
    line: str
    settings: str = ""  # names of its fields: a misspelt one is said before torch is imported


# fmt: off
ENTRIES = (
    # transfer
    Entry("finetune", "finetune", "FineTune", "transfer", "nothing", "", "",
          "Plain cross-entropy on whatever arrives."),
    Entry("joint", "joint", "Joint", "transfer", "all images", "", "",
          "Keeps all data, trains on all of it again."),
    Entry("imprint", "imprint", "Imprint", "transfer", "class means", "", "Qi et al. 2018",
          "Sets a new class's row to its mean feature.", "scale finetune"),
    Entry("probe", "probe", "Probe", "transfer", "nothing", "", "Alain and Bengio 2016",
          "Trains the head alone; the backbone stays."),
    Entry("cumulative", "cumulative", "Cumulative", "transfer", "all images", "", "",
          "Keeps all data, goes on from the present weights."),
    Entry("novelty-gate", "novelty_gate", "NoveltyGate", "transfer", "sums, features", "",
          "Lee et al. 2018",
          "Lets new what lies among the new classes, by distance; the network stays.",
          "accept penalty logits energy keep"),
    # regularization
    Entry("lwf", "lwf", "LwF", "regularization", "nothing", "", "Li and Hoiem 2016",
          "Distils the old network's answers on new data.", "strength temperature"),
    Entry("ewc", "ewc", "EWC", "regularization", "weights, Fisher", "", "Kirkpatrick et al. 2017",
          "Penalties on weights, by their Fisher information.", "strength decay separate samples"),
    Entry("si", "si", "SI", "regularization", "weights, importances", "", "Zenke et al. 2017",
          "Penalties on weights, by what each did for the loss.", "strength damping"),
    Entry("mas", "mas", "MAS", "regularization", "weights, importances", "",
          "Aljundi et al. 2018", "Penalties on weights that the outputs are sensitive to.",
          "strength samples"),
    # rehearsal
    Entry("er", "er", "ER", "rehearsal", "images", "", "Chaudhry et al. 2019",
          "Replays a reservoir of past samples.", "memory replay"),
    Entry("er-ace", "er_ace", "ERACE", "rehearsal", "images", "", "Caccia et al. 2022",
          "Replays; new data compete among themselves.", "memory replay"),
    Entry("der", "der", "DER", "rehearsal", "images, logits", "", "Buzzega et al. 2020",
          "Replays past answers alone.", "alpha memory replay"),
    Entry("der++", "derpp", "DERpp", "rehearsal", "images, logits", "", "Buzzega et al. 2020",
          "Replays past samples and past answers.", "alpha beta memory replay"),
    Entry("a-gem", "agem", "AGEM", "rehearsal", "images", "", "Chaudhry et al. 2019",
          "Never steps against the memory's gradient.", "memory replay"),
    Entry("mir", "mir", "MIR", "rehearsal", "images", "", "Aljundi et al. 2019",
          "Replays what the next step would harm most.", "memory replay candidates"),
    Entry("gdumb", "gdumb", "GDumb", "rehearsal", "images", "", "Prabhu et al. 2020",
          "Trains anew on a balanced memory alone.", "memory passes"),
    Entry("icarl", "icarl", "ICaRL", "rehearsal", "images", "", "Rebuffi et al. 2017",
          "Nearest mean of exemplars; distils on them.", "memory replay"),
    Entry("bic", "bic", "BiC", "rehearsal", "images", "", "Wu et al. 2019",
          "Two numbers correct the new classes' logits.",
          "memory replay held_out temperature steps"),
    Entry("wa", "wa", "WA", "rehearsal", "images", "", "Zhao et al. 2020",
          "Replays, distils, evens out the head's rows.", "memory replay temperature positive"),
    Entry("scr", "scr", "SCR", "rehearsal", "images", "", "Mai et al. 2021",
          "Contrasts views of classes; nearest class mean.",
          "memory replay temperature width flip"),
    Entry("reprise", "reprise", "Reprise", "rehearsal", "images, sums", "", "",
          "Balanced replay, prior-corrected; a second opinion from sums.",
          "memory replay scale shift sums"),
    Entry("regrow", "regrow", "Regrow", "rehearsal", "images", "", "",
          "Replays a few old images, holds the old answers; for adopted networks.",
          "strength temperature memory replay steps lr shift"),
    # generative replay
    Entry("dgr", "dgr", "DGR", "generative replay", "autoencoder", "", "Shin et al. 2017",
          "Replays inputs that an autoencoder draws, labelled by the old network.",
          "replay temperature hidden latent epochs lr"),
    Entry("generative-classifier", "generative_classifier", "GenerativeClassifier",
          "generative replay", "autoencoders", "fixed backbone", "van de Ven et al. 2021",
          "Models each class by an autoencoder; the likeliest wins.",
          "hidden latent epochs lr codes"),
    # expansion
    Entry("expand", "expand", "Expand", "expansion", "images, old networks", "", "Yan et al. 2021",
          "Adds a backbone a task beside the frozen old ones.", "strength memory balance"),
    Entry("foster", "foster", "FOSTER", "expansion", "images", "", "Wang et al. 2022",
          "Boosts the old network by a new one, then makes one of both.",
          "align balance strength temperature memory compression"),
    Entry("memo", "memo", "MEMO", "expansion", "images, old last blocks", "", "Zhou et al. 2023",
          "Adds a last block a task upon shared early layers.",
          "strength memory balance shared_learns"),
    # consolidation
    Entry("dmc", "dmc", "DMC", "consolidation", "nothing", "unlabelled inputs", "Zhang et al. 2020",
          "Teaches a student what old and new network say of unlabelled inputs.", "epochs lr far"),
    Entry("dmc+", "dmc_plus", "DMCPlus", "consolidation", "nothing", "unlabelled inputs", "",
          "Finds what is new among unlabelled inputs, teaches both networks' answers.",
          "steps lr replay held strength"),
    # closed form
    Entry("ncm", "ncm", "NCM", "closed form", "sums", "fixed backbone", "Mensink et al. 2013",
          "Nearest class mean of fixed features.", "keep adapt"),
    Entry("lda", "lda", "LDA", "closed form", "sums", "fixed backbone", "Hayes and Kanan 2020",
          "Linear discriminant analysis, noise-corrected; exact.",
          "keep adapt prior penalty correct rule"),
    Entry("ridge", "ridge", "Ridge", "closed form", "sums", "fixed backbone",
          "Zhuang et al. 2022", "Ridge regression to one-hot targets; exact.",
          "keep adapt penalty"),
    Entry("acil", "acil", "ACIL", "closed form", "sums", "fixed backbone", "Zhuang et al. 2022",
          "Ridge regression on random features, fixed penalty.", "keep adapt size penalty seed"),
    Entry("ds-al", "ds_al", "DSAL", "closed form", "sums", "fixed backbone",
          "Zhuang et al. 2024", "ACIL, and a second stream fitted to what it leaves.",
          "keep adapt ratio size penalty compensation seed"),
    Entry("ranpac", "ranpac", "RanPAC", "closed form", "sums", "fixed backbone",
          "McDonnell et al. 2023", "Ridge on random features, penalty chosen; may adapt first.",
          "keep adapt size seed"),
    Entry("fecam", "fecam", "FeCAM", "closed form", "sums of each class", "fixed backbone",
          "Goswami et al. 2023", "Mahalanobis distance, a covariance for each class.",
          "power diagonal off_diagonal correlation adapt"),
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
