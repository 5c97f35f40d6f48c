"""What the labels of files are to be: text, or int. Apart from `labels`, as it needs no NumPy."""

from typing import Literal

LabelType = Literal["text", "int"] | None  # what is asked for; None: what the file says
ModelLabels = (
    Literal["text", "int", "bool"] | None
)  # of a model, "int": whole numbers; None: it has none
