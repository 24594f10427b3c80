"""Addresses as people paste them."""

from __future__ import annotations

import pytest

from ingest_tui.connectors.sharepoint.urls import SiteAddress, parse_site_url, path_segments, share_token

HOST = "contoso.sharepoint.com"
PAGE = "https://contoso.sharepoint.com/sites/hr/Shared%20Documents/Forms/AllItems.aspx"
FOLDER = "%2Fsites%2Fhr%2FShared%20Documents%2FPolicies"
ONEDRIVE = "https://contoso-my.sharepoint.com"
GUIDS = "0f0f0f0f-1111-2222-3333-444444444444,aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"


def site(*rest: str, at: str = "sites/hr", host: str = HOST) -> SiteAddress:
    """Return what is expected of an address."""
    return SiteAddress(host, tuple(at.split("/")) if at else (), rest)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        # The site itself
        ("https://contoso.sharepoint.com/sites/hr", site()),
        ("https://contoso.sharepoint.com/sites/hr/", site()),
        ("  https://contoso.sharepoint.com/sites/hr \n", site()),
        ("<https://contoso.sharepoint.com/sites/hr>", site()),
        ('"https://contoso.sharepoint.com/sites/hr"', site()),
        ("\u200bhttps://contoso.sharepoint.com/sites/hr\ufeff", site()),
        ("contoso.sharepoint.com/sites/hr", site()),
        ("http://contoso.sharepoint.com/sites/hr", site()),
        ("HTTPS://Contoso.SharePoint.com/Sites/hr", site()),
        ("https://contoso.sharepoint.com:443/sites/hr", site()),
        ("https://contoso.sharepoint.com/teams/sales", site(at="teams/sales")),
        ("https://contoso.sharepoint.com", site(at="")),
        ("https://contoso.sharepoint.com/", site(at="")),
        ("https://contoso.sharepoint.com/SitePages/Home.aspx", site(at="")),
        ("https://contoso.sharepoint.com/sites/hr/SitePages/Home.aspx?e=1%3Aab", site()),
        ("https://contoso.sharepoint.com/sites/hr/_layouts/15/viewlsts.aspx?view=14", site()),
        ("https://contoso.sharepoint.com/sites/hr/_layouts/15/Doc.aspx?sourcedoc=%7B0f%7D&file=a.docx", site()),
        ("https://contoso.sharepoint.com/sites/hr#anchor", site()),
        ("https://contoso.sharepoint.us/sites/hr", site(host="contoso.sharepoint.us")),
        ("https://contoso.sharepoint-mil.us/sites/hr", site(host="contoso.sharepoint-mil.us")),
        ("https://contoso.sharepoint.cn/sites/hr", site(host="contoso.sharepoint.cn")),
        # As Graph writes it
        ("contoso.sharepoint.com:/sites/hr", site()),
        ("contoso.sharepoint.com:/sites/hr:", site()),
        ("https://graph.microsoft.com/v1.0/sites/contoso.sharepoint.com:/sites/hr:/drives", site()),
        (f"{HOST},{GUIDS}", SiteAddress(HOST, site_id=f"{HOST},{GUIDS}")),
        (f"https://graph.microsoft.com/v1.0/sites/{HOST},{GUIDS}", SiteAddress(HOST, site_id=f"{HOST},{GUIDS}")),
        (f"https://graph.microsoft.us/v1.0/sites/{HOST},{GUIDS}/drives", SiteAddress(HOST, site_id=f"{HOST},{GUIDS}")),
        # Behind the page that old sites begin with
        (
            "https://contoso.sharepoint.com/sites/hr/_layouts/15/start.aspx#/Shared%20Documents/Forms/AllItems.aspx",
            site("Shared Documents"),
        ),
        (
            f"https://contoso.sharepoint.com/sites/hr/_layouts/15/start.aspx#/Docs/Forms/AllItems.aspx?RootFolder={FOLDER}",
            site("Shared Documents", "Policies"),
        ),
        ("https://contoso.sharepoint.com/sites/hr/_layouts/15/start.aspx#/sites/hr/Docs", site("Docs")),
        ("https://contoso.sharepoint.com/_layouts/15/start.aspx#/Docs", site("Docs", at="")),
        # Libraries and folders
        ("https://contoso.sharepoint.com/sites/hr/Shared%20Documents", site("Shared Documents")),
        ("https://contoso.sharepoint.com/sites/hr/Shared Documents/", site("Shared Documents")),
        ("https://contoso.sharepoint.com/sites/hr/Shared%20Documents/Forms/AllItems.aspx", site("Shared Documents")),
        (
            f"{PAGE}?id={FOLDER}%2F2026&viewid=0f0f0f0f%2D1111",
            site("Shared Documents", "Policies", "2026"),
        ),
        (
            f"{PAGE}?RootFolder={FOLDER}&FolderCTID=0x012000&View=%7B0f%7D",
            site("Shared Documents", "Policies"),
        ),
        (
            f"{PAGE}?id={FOLDER}%2Fleave%2Epdf&parent={FOLDER}",
            site("Shared Documents", "Policies"),
        ),
        (
            "https://contoso.sharepoint.com/sites/hr/Shared%20Documents/100%25%20%26%20%23%2B/%C3%BC",
            site("Shared Documents", "100% & #+", "ü"),
        ),
        (
            "https://contoso.sharepoint.com/sites/hr/Docs/Forms/AllItems.aspx?id=%2Fsites%2Fhr%2FDocs%2Fa%2Bb+c",
            site("Docs", "a+b+c"),
        ),
        ("https://contoso.sharepoint.com/sites/hr/payroll/Shared%20Documents", site("payroll", "Shared Documents")),
        ("https://contoso.sharepoint.com/Shared%20Documents/Forms/AllItems.aspx", site("Shared Documents", at="")),
        # Sharing links
        (
            "https://contoso.sharepoint.com/:f:/r/sites/hr/Shared%20Documents/Policies?csf=1&web=1&e=a1b2c3",
            site("Shared Documents", "Policies"),
        ),
        ("https://contoso.sharepoint.com/:f:/r/teams/sales/Docs?d=w0f", site("Docs", at="teams/sales")),
        (
            "https://contoso.sharepoint.com/:f:/s/hr/EabcDEF123?e=x",
            SiteAddress(HOST, share_link="https://contoso.sharepoint.com/:f:/s/hr/EabcDEF123?e=x"),
        ),
        (
            "https://contoso-my.sharepoint.com/:f:/g/personal/ann_contoso_com/Eabc",
            SiteAddress(
                "contoso-my.sharepoint.com",
                share_link="https://contoso-my.sharepoint.com/:f:/g/personal/ann_contoso_com/Eabc",
            ),
        ),
        (
            "https://contoso.sharepoint.com/sites/hr/_layouts/15/guestaccess.aspx?share=Eabc",
            SiteAddress(HOST, share_link="https://contoso.sharepoint.com/sites/hr/_layouts/15/guestaccess.aspx?share=Eabc"),
        ),
        # OneDrive
        (
            f"{ONEDRIVE}/personal/a_b_c/_layouts/15/onedrive.aspx?id=%2Fpersonal%2Fa_b_c%2FDocuments%2FNotes&view=0",
            site("Documents", "Notes", at="personal/a_b_c", host="contoso-my.sharepoint.com"),
        ),
        (
            "https://contoso-my.sharepoint.com/personal/ann_contoso_com",
            site(at="personal/ann_contoso_com", host="contoso-my.sharepoint.com"),
        ),
        (
            f"{ONEDRIVE}/my?id={FOLDER}&listurl=https%3A%2F%2Fcontoso%2Esharepoint%2Ecom%2Fsites%2Fhr%2FShared%20Documents",
            site("Shared Documents", "Policies"),
        ),
    ],
)  # fmt: skip
def test_address_is_understood(address: str, expected: SiteAddress) -> None:
    """Whatever a browser, Graph or a colleague gives is taken apart the same way."""
    assert parse_site_url(address) == expected


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("hr", "not an address"),
        ("ftp://contoso.sharepoint.com/sites/hr", "not an address"),
        ("https:///sites/hr", "not an address"),
        ("https://contoso.sharepoint.com/sites/", "names no site"),
        ("https://contoso-admin.sharepoint.com/_layouts/15/online/AdminHome.aspx#/siteManagement", "admin center"),
        ("https://contoso-my.sharepoint.com/my", "whose OneDrive"),
        ("https://teams.microsoft.com/l/channel/19%3aabc/General", "Open in SharePoint"),
        ("https://onedrive.live.com/?id=root&cid=1", "personal OneDrive"),
        ("https://1drv.ms/f/s!Abc", "personal OneDrive"),
        ("https://contoso.sharepoint.com/_layouts/15/sharepoint.aspx?v=following", "start page"),
        ("https://[::1/sites/hr", "not an address of a site"),
        (f"{PAGE}?id={FOLDER}&listurl=https%3A%2F%2F%5B%3A%3A1", "not an address of a site"),
    ],
)
def test_what_cannot_be_a_site_is_reported(address: str, sentence: str) -> None:
    """An address that cannot work is refused with what to do instead."""
    with pytest.raises(ValueError, match=sentence):
        parse_site_url(address)


@pytest.mark.parametrize(
    "address",
    [
        "https://bob:planted@contoso.sharepoint.com/sites/hr",
        "bob:planted@contoso.sharepoint.com/sites/hr",
        "https://planted@contoso.sharepoint.com/:f:/s/hr/Eabc",
        "https://bob:planted@graph.microsoft.com/v1.0/sites/contoso.sharepoint.com:/sites/hr:",
        f"https://bob:planted@graph.microsoft.com/v1.0/sites/{HOST},{GUIDS}",
        f"{ONEDRIVE}/my?id={FOLDER}&listurl=https%3A%2F%2Fbob%3Aplanted%40contoso.sharepoint.com%2Fsites%2Fhr",
        "https://bob:planted\u2100@contoso.sharepoint.com/sites/hr",
    ],
)
def test_password_in_an_address_is_refused(address: str) -> None:
    """Settings are shown and kept in the clear: an address with a name or a password is refused, unquoted."""
    with pytest.raises(ValueError, match=r"no user name or password|not an address of a site") as caught:
        parse_site_url(address)
    assert "planted" not in f"{caught.value!r}{caught.value.__cause__!r}"


def test_share_token_is_that_of_the_documentation() -> None:
    """A sharing link becomes what "Accessing shared driveItems" shows for its own example."""
    link = "https://onedrive.live.com/redir?resid=1231244193912!12&authKey=1201919!12921!1"
    token = share_token(link)
    assert (
        token
        == "u!aHR0cHM6Ly9vbmVkcml2ZS5saXZlLmNvbS9yZWRpcj9yZXNpZD0xMjMxMjQ0MTkzOTEyITEyJmF1dGhLZXk9MTIwMTkxOSExMjkyMSEx"
    )


def test_paths_are_compared_decoded_and_without_case() -> None:
    """The address of a library and a pasted one match whatever their case and encoding."""
    assert path_segments("https://c.sharepoint.com/Sites/HR/Shared%20Documents/") == ("sites", "hr", "shared documents")


def test_organisation_is_the_name_in_the_host() -> None:
    """The same organisation for its sites and its OneDrives."""
    assert parse_site_url("https://contoso-my.sharepoint.com/personal/a_b").organisation == "contoso"
    assert parse_site_url("https://contoso.sharepoint.com").organisation == "contoso"
