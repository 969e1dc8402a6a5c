"""Each test runs in a process of its own, because a module is loaded once per process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sluice_runtime.sinks.firestore.lazy_libraries import LAZY_LIBRARIES
from support.google_server import GoogleServer
from support.service_account_keys import service_account_key

REAL_TIME = True
# The environment of a program without an identity.
PLAIN = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
FOR_REQUESTS = {"google.auth.transport.requests", "requests", "requests.adapters", "urllib3", "charset_normalizer"}
# Opens a connection with the identity of the environment, requests a token if there is one to request, and prints which
# of the libraries have run.
OPEN_CONNECTION = """
    import asyncio, sys
    from pathlib import Path
    from types import ModuleType
    from sluice_runtime.sinks.firestore.connection import FirestoreConnection
    from sluice_runtime.sinks.firestore.credentials import find_firestore_access
    from sluice_runtime.sinks.firestore.lazy_libraries import LAZY_LIBRARIES

    async def open_and_close():
        access = await find_firestore_access("demo", Path(sys.argv[1]))
        await FirestoreConnection(access, "(default)").close()
        if access.credentials is not None:
            from sluice_runtime.sinks.firestore.google_tokens import scoped, token_request
            scoped(access.credentials).refresh(token_request(access.credentials))

    try:
        asyncio.run(open_and_close())
    except ValueError:
        pass
    print(*(name for name in LAZY_LIBRARIES if type(sys.modules[name]) is ModuleType))
"""
PACKAGE = """
    import sys
    sys.path.insert(0, sys.argv[1])
    from types import ModuleType
    from sluice_runtime.sinks.firestore.lazy_libraries import LazyModule, load_when_used
    load_when_used(["lazy_package"])
"""


def run(program: str, *arguments: str, body: str = "", **environment: str) -> str:
    """Return what a program prints, with `body` after it. It prints no warnings."""
    source = textwrap.dedent(program) + textwrap.dedent(body)
    command = [sys.executable, "-c", source, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**PLAIN, **environment})
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


@pytest.fixture
def google_server() -> Iterator[GoogleServer]:
    with GoogleServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with lazy_package, whose code prints that it runs, and its submodule."""
    package = tmp_path / "lazy_package"
    package.mkdir()
    (package / "__init__.py").write_text("print('runs')\nfrom .submodule import value\n__version__ = '1'\n")
    (package / "submodule.py").write_text("value = 7\n")
    return tmp_path


def test_with_an_emulator_none_of_them_runs(tmp_path: Path) -> None:
    assert run(OPEN_CONNECTION, str(tmp_path / "absent"), FIRESTORE_EMULATOR_HOST="127.0.0.1:9") == ""


def test_with_a_key_what_signs_and_urllib3_run(tmp_path: Path, google_server: GoogleServer) -> None:
    key = tmp_path / "key.json"
    key.write_text(json.dumps({**service_account_key("demo"), "token_uri": f"http://{google_server.place}/token"}))
    ran = set(run(OPEN_CONNECTION, str(key)).split())
    signs = {"google.oauth2.service_account", "google.auth.crypt", "google.auth.jwt"}
    assert signs <= ran <= {*signs, "google.auth.iam", "urllib3"}
    assert "urllib3" in ran


def test_with_a_metadata_server_what_requests_a_token_runs(tmp_path: Path, google_server: GoogleServer) -> None:
    places = dict.fromkeys(("GCE_METADATA_HOST", "GCE_METADATA_IP"), google_server.place)
    ran = set(run(OPEN_CONNECTION, str(tmp_path / "absent"), HOME=str(tmp_path), **places).split())
    assert ran == FOR_REQUESTS


def test_without_an_identity_no_signature_is_loaded(tmp_path: Path) -> None:
    ran = set(run(OPEN_CONNECTION, str(tmp_path / "absent"), HOME=str(tmp_path), NO_GCE_CHECK="true").split())
    assert ran == FOR_REQUESTS


@pytest.mark.parametrize("name", LAZY_LIBRARIES)
def test_each_has_the_same_names_as_without_laziness(name: str) -> None:
    show = f"""
        import sys, {name}
        from types import ModuleType
        module = sys.modules["{name}"]
        getattr(module, "no_such_name", None)
        def kind(each): return "module" if isinstance(each, ModuleType) else type(each).__name__
        print(*sorted((name, kind(each)) for name, each in vars(module).items()), type(module) is ModuleType)
    """
    assert run("import sluice_runtime.sinks.firestore.lazy_libraries", body=show) == run("", body=show)


def test_the_check_of_the_identity_warns_of_nothing() -> None:
    assert run("import sluice_runtime.sinks.firestore.identity") == ""


@pytest.mark.parametrize("name", LAZY_LIBRARIES)
def test_no_name_of_a_package_hides_a_submodule(name: str) -> None:
    body = f"""
        import {name}, pkgutil, sys
        from types import ModuleType
        module = sys.modules["{name}"]
        submodules = [each.name for each in pkgutil.iter_modules(getattr(module, "__path__", []))]
        submodules = [each for each in submodules if not each.startswith("__")]
        print([each for each in submodules if not isinstance(vars(module).get(each, module), ModuleType)])
    """
    assert run("", body=body) == "[]"


def test_a_submodule_is_imported_without_the_code_of_its_package(folder: Path) -> None:
    body = """
        import lazy_package.submodule
        from lazy_package import submodule
        print(submodule.value, type(sys.modules["lazy_package"]) is LazyModule)
    """
    assert run(PACKAGE, str(folder), body=body) == "7 True"


def test_the_version_of_a_package_is_not_the_submodule_of_that_name(folder: Path) -> None:
    (folder / "lazy_package" / "__version__.py").write_text("__version__ = '1'\n")
    (folder / "lazy_package" / "__init__.py").write_text("from .__version__ import __version__\n")
    assert run(PACKAGE, str(folder), body="import lazy_package; print(lazy_package.__version__)") == "1"


def test_another_name_runs_the_code_once_and_makes_it_an_ordinary_module(folder: Path) -> None:
    body = """
        import lazy_package
        print(lazy_package.__version__, lazy_package.value, type(lazy_package) is ModuleType)
        print(hasattr(lazy_package, "absent"), lazy_package is sys.modules["lazy_package"])
    """
    assert run(PACKAGE, str(folder), body=body) == "runs\n1 7 True\nFalse True"


def test_an_absent_name_is_reported_as_by_any_module(folder: Path) -> None:
    body = """
        import lazy_package
        try:
            lazy_package.absent
        except AttributeError as error:
            print(error)
    """
    assert run(PACKAGE, str(folder), body=body).endswith("module 'lazy_package' has no attribute 'absent'")


def test_code_that_fails_runs_again_at_the_next_use(folder: Path) -> None:
    (folder / "lazy_package" / "__init__.py").write_text("import sys\nif not sys.flags.debug and FAILS: pass\n")
    body = """
        import builtins, lazy_package
        try:
            lazy_package.value
        except NameError as error:
            print(error)
        builtins.FAILS = False
        print(hasattr(lazy_package, "value"), type(lazy_package) is ModuleType)
    """
    assert run(PACKAGE, str(folder), body=body) == "name 'FAILS' is not defined\nFalse True"


def test_threads_that_use_it_at_once_wait_for_its_code(folder: Path) -> None:
    (folder / "lazy_package" / "__init__.py").write_text("import time\nprint('runs')\ntime.sleep(0.2)\nvalue = 7\n")
    body = """
        from concurrent.futures import ThreadPoolExecutor
        import lazy_package
        with ThreadPoolExecutor(8) as threads:
            print(set(threads.map(lambda _: lazy_package.value, range(8))))
    """
    assert run(PACKAGE, str(folder), body=body) == "runs\n{7}"


def test_a_module_that_is_loaded_or_absent_stays_so(folder: Path) -> None:
    body = """
        import json
        load_when_used(["json", "no_such_module"])
        print(type(json) is ModuleType, "no_such_module" in sys.modules)
    """
    assert run(PACKAGE, str(folder), body=body) == "True False"
