import gc

import pytest

from sluice_runtime.lean_imports import without_garbage_collection


def test_the_lean_imports_run_no_garbage_collection() -> None:
    with without_garbage_collection():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_an_import_that_fails_leaves_garbage_collection_enabled() -> None:
    with pytest.raises(ImportError), without_garbage_collection():
        raise ImportError
    assert gc.isenabled()
