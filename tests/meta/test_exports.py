"""The package is whole: modules import, exported names exist, the wheel carries its data."""

import importlib
import pkgutil
from importlib.metadata import version
from importlib.resources import files

import pytest

import farhand
from tests.conftest import require

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(farhand.__path__, "farhand.")
    if not module.name.endswith("__main__")
)


@pytest.mark.parametrize("name", MODULES)
def test_module_imports_and_says_what_it_is_for(name: str) -> None:
    module = importlib.import_module(name)
    assert (module.__doc__ or "").strip(), f"{name} has no docstring"


@pytest.mark.parametrize("name", MODULES)
def test_exported_names_exist(name: str) -> None:
    module = importlib.import_module(name)
    for public in getattr(module, "__all__", ()):
        assert hasattr(module, public), f"{name}.{public}"


def test_version_is_the_package_s() -> None:
    require("package")
    assert farhand.__version__ == version("farhand")


def test_types_are_shipped() -> None:
    assert files("farhand").joinpath("py.typed").is_file()


def test_console_is_shipped() -> None:
    require("console")
    page = files("farhand").joinpath("server", "www", "index.html").read_text("utf-8")
    assert "<script" in page


def test_the_console_s_packages_come_with_their_licences() -> None:
    require("console")
    notices = files("farhand").joinpath("server", "www", "licenses.md").read_text("utf-8")
    for package in ("react", "react-dom", "react-aria", "i18next", "lucide-react", "wouter"):
        assert f"\n## {package} - " in notices
