"""What the package index says of a package's versions."""

import json
from typing import Any

import pytest
from packaging.version import Version

from kb.changelogs.sources.index import PackageIndex, Published
from kb.changelogs.sources.interface import NotThere, SourceUnreachable
from kb.changelogs.sources.web import Web
from tests.changelogs.webserver import Answer, Site


def file(day: str, yanked: object = False) -> dict[str, object]:
    return {"upload_time_iso_8601": f"{day}T10:00:00.5Z", "yanked": yanked}


def versions(site: Site, web: Web, releases: Any) -> dict[str, Published]:
    site.routes["/pypi/sample/json"] = Answer(json.dumps({"info": {}, "releases": releases}).encode())
    return {str(each.version): each for each in PackageIndex(web, site.base).versions("sample")}


def test_a_version_is_as_old_as_its_first_file(site: Site, web: Web) -> None:
    found = versions(site, web, {"2.0": [file("2026-10-17"), file("2026-10-15"), file("2026-11-01")]})
    assert found["2.0"] == Published(Version("2.0"), "2026-10-15", yanked=False)


def test_versions_come_in_order(site: Site, web: Web) -> None:
    assert list(versions(site, web, {"1.10": [], "1.9": [], "1.9rc1": []})) == ["1.9rc1", "1.9", "1.10"]


def test_a_version_is_withdrawn_when_all_its_files_are(site: Site, web: Web) -> None:
    found = versions(
        site,
        web,
        {"1.0": [file("2026-01-01", True)] * 2, "2.0": [file("2026-02-01", True), file("2026-02-01")], "3.0": []},
    )
    assert [each.yanked for each in found.values()] == [True, False, False]
    assert found["3.0"].day == ""


def test_what_is_no_version_and_no_day_is_left_out(site: Site, web: Web) -> None:
    found = versions(site, web, {"2004d": [file("2026-01-01")], "1.0": [{"upload_time": "soon"}], "1.1": [{}]})
    assert [(name, each.day) for name, each in found.items()] == [("1.0", ""), ("1.1", "")]


def test_a_package_that_is_not_there_is_told(site: Site, web: Web) -> None:
    with pytest.raises(NotThere, match="/pypi/a%2Fb/json answers 404"):
        PackageIndex(web, site.base).versions("a/b")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"{}", b'{"releases": []}', b'{"releases": {"1.0": {}}}', b'{"releases": {"1.0": [1]}}']
)
def test_another_shape_is_told(site: Site, web: Web, body: bytes) -> None:
    site.routes["/pypi/sample/json"] = Answer(body)
    with pytest.raises(SourceUnreachable, match="the versions of sample") as caught:
        PackageIndex(web, site.base).versions("sample")
    assert str(caught.value).isprintable()
