"""Names of settings of methods: one that is misspelt is said before torch is imported."""

# fmt: off
SETTINGS = {
    "imprint": "scale finetune",
    "novelty-gate": "accept penalty logits energy keep",
    "lwf": "strength temperature",
    "ewc": "strength decay separate samples",
    "si": "strength damping",
    "mas": "strength samples",
    "er": "memory replay",
    "er-ace": "memory replay",
    "der": "alpha memory replay",
    "der++": "alpha beta memory replay",
    "a-gem": "memory replay",
    "mir": "memory replay candidates",
    "gdumb": "memory passes",
    "icarl": "memory replay",
    "bic": "memory replay held_out temperature steps",
    "wa": "memory replay temperature positive",
    "scr": "memory replay temperature width flip",
    "reprise": "memory replay scale shift sums",
    "regrow": "strength temperature memory replay steps lr shift",
    "dgr": "replay temperature hidden latent epochs lr",
    "generative-classifier": "hidden latent epochs lr codes",
    "expand": "strength memory balance",
    "foster": "align balance strength temperature memory compression",
    "memo": "strength memory balance shared_learns",
    "dmc": "epochs lr far",
    "dmc+": "steps lr replay held strength",
    "ncm": "keep adapt",
    "lda": "keep adapt prior penalty correct rule",
    "ridge": "keep adapt penalty",
    "acil": "keep adapt size penalty seed",
    "ds-al": "keep adapt ratio size penalty compensation seed",
    "ranpac": "keep adapt size seed",
    "fecam": "power diagonal off_diagonal correlation adapt",
}
# fmt: on


def setting_names(name: str) -> list[str]:
    """Those of one of evergrow's methods, by its name.

    >>> setting_names("er")
    ['memory', 'replay']
    """
    return SETTINGS.get(name, "").split()
