"""Which addresses are public."""

from __future__ import annotations

import pytest

from ingest_tui.transport.public_addresses import is_public


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_addresses_of_the_internet(address: str) -> None:
    """Those of IPv4, of IPv6, and of IPv4 within IPv6."""
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "255.255.255.255", "224.0.0.1", "240.0.0.1", "192.0.2.1", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1",
        "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "2002:7f00:1::", "64:ff9b::7f00:1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2", "", "localhost", "0x7f.1", "2130706433",
    ],
)  # fmt: skip
def test_addresses_of_private_networks(address: str) -> None:
    """This machine, private networks, the services of clouds, multicast; in each form, and what is no address."""
    assert not is_public(address)
