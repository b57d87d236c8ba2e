"""Which hosts are near, alone, in addresses and within the settings of connections."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charter_rules import hosts


@pytest.mark.parametrize(
    "address",
    [
        "localhost", "http://localhost:8000/eur", "127.0.0.1", "amqp://user@127.0.0.1:5672/", "0.0.0.0", "::1", "http://[::1]/",
        "192.168.1.39:8083", "172.16.0.4", "10.0.0.7", "https://printer.local/", "ldap://directory.test", "db", "http://db:8080/",
        "shop.svc.cluster.local", "host.docker.internal", "",
    ],
)  # fmt: skip
def test_a_near_host_is_known_alone_and_in_an_address(address: str) -> None:
    assert hosts.is_near(address)


@pytest.mark.parametrize(
    "address",
    [
        "shop.net", "http://localhost.shop.net/", "https://rates.example.com/eur", "172.32.0.1", "8.8.8.8", "http://10.shop.net",
        "https://shop.net/localhost", "http://shop.net?to=127.0.0.1", "test.shop.net", "http://[2001:db8::1]/",
    ],
)  # fmt: skip
def test_a_far_host_that_looks_near_is_not(address: str) -> None:
    assert not hosts.is_near(address)


def test_settings_and_code_speak_of_near_hosts() -> None:
    assert hosts.speaks_of_near('"host=localhost dbname=orders"')
    assert hosts.speaks_of_near('f"postgresql://{user}@127.0.0.1/orders"')
    assert hosts.speaks_of_near("unix:///var/run/docker.sock")
    assert not hosts.speaks_of_near('"host=db.shop.net dbname=orders"')
    assert not hosts.speaks_of_near('"postgresql://localhost.shop.net/orders"')


@given(st.text())
def test_any_text_may_be_asked(text: str) -> None:
    assert hosts.is_near(text) in {True, False}
    assert hosts.speaks_of_near(text) in {True, False}
