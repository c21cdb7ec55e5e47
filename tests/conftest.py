"""What every system test gets: the paths, an appliance, and the shared zones."""

import os
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "lib"))

from appliance import Appliance, zone_text  # noqa: E402  (after the path is set)


@pytest.fixture
def appliance():
    with Appliance() as a:
        yield a


@pytest.fixture
def example(appliance):
    """An appliance that serves example.com."""
    path = appliance.dir / "example.com"
    path.write_text(zone_text("example.com.", records="www IN A 192.0.2.10\n"))
    appliance.cli("zone", "import", "example.com", path)
    return appliance


@pytest.fixture(scope="session")
def shared_zones():
    """The folder of real zones; skipped where there is none, except in CI, where it must be."""
    for place in (os.environ.get("NS_SHARED"), ROOT.parent / "shared", "/work/shared"):
        if place and (pathlib.Path(place) / "zones").is_dir():
            return pathlib.Path(place) / "zones"
    if os.environ.get("CI"):
        pytest.fail("../shared/zones is missing")
    pytest.skip("../shared/zones is missing")
    return None
