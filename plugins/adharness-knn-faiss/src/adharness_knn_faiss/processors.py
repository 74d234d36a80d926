"""Where the two-stage search pays."""

from __future__ import annotations

from importlib.util import find_spec

FEWEST_QUERIES = 128
FEWEST_PRODUCTS = 1 << 28  # below, both searches take milliseconds
FEWEST_DIMS = 64  # below, picking the smallest takes longer than the products
FAST_BF16 = ("avx512_bf16", "amx_bf16")  # what torch calls them


def has_torch() -> bool:
    """Tell whether torch is installed, without importing it."""
    return find_spec("torch") is not None


def gains(queries: int, rows: int, dim: int) -> bool:
    """Tell whether so large a search is faster in two stages on this machine."""
    large = queries >= FEWEST_QUERIES and dim >= FEWEST_DIMS
    return large and queries * rows * dim >= FEWEST_PRODUCTS and device() is not None


def device() -> str | None:
    """Name the torch device with fast bfloat16 products: cuda, cpu, or None."""
    if not has_torch():
        return None
    import torch

    if torch.cuda.is_available():
        return "cuda"
    # an older torch does not say what the processor can
    able: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return "cpu" if any(able.get(name) for name in FAST_BF16) else None
