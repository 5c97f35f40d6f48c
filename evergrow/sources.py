"""What users have -> a `Chunk`: the public door to `data.read`, which see."""

from .data.read import Chunk as Chunk
from .data.read import Seen as Seen
from .data.read import clean_labels as clean_labels
from .data.read import read as read
