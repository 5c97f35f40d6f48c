"""What the labels of files are to be: text, or int. Apart from `labels`, as it needs no NumPy."""

from typing import Literal

LabelType = Literal["text", "int"] | None  # of a model's labels; None: not known yet
