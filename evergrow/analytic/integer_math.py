"""Exact arithmetic on rows of 8-bit integers: products, content hashes, packing into bytes."""

from functools import cache

import torch
from torch import Tensor

from ..storage.durable_files import Fault

_FLOAT_ROWS = 1_024  # 127 * 127 * 1,024 < 2**24: sums of fewer products are exact in float32
_DIRECTIONS = 8  # 32-bit projections of a row that its hash is made of


def product(a: Tensor, b: Tensor) -> Tensor:
    """The exact product of int8 matrices (m, n) and (n, p), as int32 (m, p).

    Entries in -127..127; n at most 133,144, so that no sum leaves 32 bits. By `torch._int_mm` where
    that is exact, by float32 products of few terms elsewhere: the same integers.

    >>> a, b = torch.tensor([[100, 100]]), torch.tensor([[100], [-99]])
    >>> product(a.to(torch.int8), b.to(torch.int8)).item()
    100
    """
    if _suits(a, b) and has_exact_integers(a.device.type):
        return torch._int_mm(a, b)
    total = torch.zeros(len(a), b.shape[1], dtype=torch.int32, device=a.device)
    with torch.autocast(a.device.type, enabled=False):
        for left, right in zip(a.split(_FLOAT_ROWS, 1), b.split(_FLOAT_ROWS), strict=True):
            total += (left.float() @ right.float()).int()
    return total


def _suits(a: Tensor, b: Tensor) -> bool:
    """Whether `torch._int_mm` takes these shapes, and is right.

    Rows of one entry it may leave unwritten (torch 2.14 on CPU: (1, 2) of strides (1, 1) gives
    whatever lay in memory), so it never gets small matrices.
    """
    m, n, p = *a.shape, b.shape[1]
    return min(m, n, p) > 7 and (a.device.type == "cpu" or (m > 16 and n % 8 == p % 8 == 0))


@cache
def has_exact_integers(device: str) -> bool:
    """Whether `torch._int_mm` is exact here: on old processors it may saturate at 16 bits."""
    if device == "cpu" and not torch.backends.mkldnn.is_available():
        return False
    a = torch.full((64, 64), 127, dtype=torch.int8, device=device)
    a[::2] = -127
    try:
        right = torch._int_mm(a, a.T.contiguous()).double()
    except RuntimeError:
        return False
    return torch.equal(right, a.double() @ a.double().T)


def row_hashes(q: Tensor) -> Tensor:
    """(n,) int64 content hashes of int8 rows (n, p): the same on every machine and in any batch.

    Fixed random projections, mixed by splitmix64 (Steele, Lea and Flood 2014, "Fast splittable
    pseudorandom number generators").
    """
    code = torch.zeros(len(q), dtype=torch.int64, device=q.device)
    for rows, part in zip(q.split(_FLOAT_ROWS), code.split(_FLOAT_ROWS), strict=True):
        for projection in product(rows, _directions(q.shape[1]).to(q.device)).long().unbind(1):
            part.copy_(mix(part ^ projection))
    return code


@cache
def _directions(width: int) -> Tensor:
    """(width, 8) int8 in -127..127, fixed for ever."""
    mixed = mix(torch.arange(width * _DIRECTIONS).view(width, _DIRECTIONS))
    return ((mixed & 0xFFFF) % 255 - 127).to(torch.int8)


def mix(z: Tensor) -> Tensor:
    """One step of splitmix64 on int64, which wraps as uint64 does: a hash of each number."""
    z = z - 0x61C8864680B583EB  # + 0x9E3779B97F4A7C15
    z = (z ^ ((z >> 30) & 0x3FFFFFFFF)) * -0x40A7B892E31B1A47  # 0xBF58476D1CE4E5B9
    z = (z ^ ((z >> 27) & 0x1FFFFFFFFF)) * -0x6B2FB644ECCEEE15  # 0x94D049BB133111EB
    return z ^ ((z >> 31) & 0x1FFFFFFFF)


def pack(values: Tensor) -> Tensor:
    """(n,) int64 in few bytes: as many planes as the largest number has bytes, each compressed.

    Gives (m,) uint8. On Gram matrices of images, compressing takes a sixth to a fifth off.

    >>> unpack(pack(torch.tensor([3, -70_000, 12])), 3).tolist()
    [3, -70000, 12]
    """
    import pyarrow as pa

    folded = ((values << 1) ^ (values >> 63)).cpu()  # zigzag: the sign is the lowest bit
    lowest, highest = folded.aminmax() if len(folded) else (torch.tensor(0), torch.tensor(0))
    planes = 8 if lowest < 0 else -(-int(highest).bit_length() // 8)
    raw = folded.view(torch.uint8).view(-1, 8)
    codec = pa.Codec("zstd", compression_level=1)
    parts = [codec.compress(raw[:, i].contiguous().numpy()) for i in range(planes)]
    header = torch.tensor([len(values), planes, *(part.size for part in parts)])
    return torch.cat(
        [
            header.view(torch.uint8),
            *(torch.frombuffer(bytearray(p), dtype=torch.uint8) for p in parts),
        ]
    )


def unpack(packed: Tensor, size: int) -> Tensor:
    """What `pack` was given: (size,) int64.  Fault: it is no such, and nothing large was made."""
    import pyarrow as pa

    if packed.dtype != torch.uint8 or packed.ndim != 1 or len(packed) < 16:
        raise Fault("packed integers are no bytes")
    n, planes = packed[:16].clone().view(torch.int64).tolist()
    start = 16 + 8 * planes
    if n != size or not 0 <= planes <= 8 or len(packed) < start:
        raise Fault(f"packed integers are {n} in {planes} planes, expected {size}")
    sizes = packed[16:start].clone().view(torch.int64).tolist()
    if min(sizes, default=0) < 0 or start + sum(sizes) != len(packed):
        raise Fault("packed integers are cut off")
    # Numbers that fit are put together in 32 bits: what takes time here is memory.
    folded = torch.zeros(n, dtype=torch.int32 if planes < 4 else torch.int64)
    for i, part in enumerate(packed[start:].split(sizes) if planes else ()):
        plain = pa.Codec("zstd").decompress(part.numpy(), decompressed_size=n)
        plane = torch.frombuffer(plain, dtype=torch.uint8).to(folded.dtype)
        folded.bitwise_or_(plane.bitwise_left_shift_(8 * i))
    sign = (folded & 1).neg_()
    folded.bitwise_right_shift_(1)
    if planes == 8:
        folded.bitwise_and_(0x7FFFFFFFFFFFFFFF)
    return folded.bitwise_xor_(sign).long()
