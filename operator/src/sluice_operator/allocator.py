"""The settings of the C library's memory allocator, so that memory returns to the system when it is freed."""

from __future__ import annotations

import ctypes
from typing import Final

# Names and numbers of <malloc.h>.
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
_BLOCK_BYTES: Final = 128 * 1024


def return_freed_memory_to_system() -> bool:
    """Allocate blocks of 128 KiB and more separately, so that each returns to the system when it is freed.

    By default, glibc raises this limit to the size of the largest block that was freed, up to 32 MiB. The pages of
    LISTs would then leave gaps in the heap, and the heap would stay as large as it ever was. Return whether the C
    library has these settings: musl has not, and needs none.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    settings = ((_M_MMAP_THRESHOLD, _BLOCK_BYTES), (_M_TRIM_THRESHOLD, _BLOCK_BYTES), (_M_ARENA_MAX, 1))
    return all(mallopt(name, value) == 1 for name, value in settings)
