"""Names of settings of backbones: one that is misspelt is said before torch is imported."""

# fmt: off
SETTINGS = {
    "patches": "filters grid threshold",
    "fourier": "width bandwidth limit",
    "mlp": "hidden",
    "convnet": "base",
    "efficientnet_lite0": "pretrained layers",
    "timm": "network pretrained layers weights",
    "text": "network depths",
}
# fmt: on


def setting_names(name: str) -> list[str]:
    """Those of one of evergrow's backbones, by its name.

    >>> setting_names("patches")
    ['filters', 'grid', 'threshold']
    """
    return SETTINGS.get(name, "").split()
