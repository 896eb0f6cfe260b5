import pytest

from apps.core.outbound.policy import OutboundPolicy, OutboundRefused

HOSTILE = [
    "127.0.0.1", "2130706433", "0x7f.1", "127.1", "017700000001", "[::ffff:127.0.0.1]", "64:ff9b::7f00:1",
    "2002:7f00:1::", "192.0.0.8", "0.0.0.0", "169.254.169.254", "224.0.0.1", "[::1]", "fe80::1", "255.255.255.255",
    "100.100.100.200", "",
]  # fmt: skip


@pytest.mark.parametrize("host", HOSTILE)
def test_hostile_forms_are_refused_even_when_everything_is_allowed(host):
    policy = OutboundPolicy.build(allow=["0.0.0.0/0", "[::/0]"])
    with pytest.raises(OutboundRefused):
        policy.vet(host, 554)


@pytest.mark.parametrize("host", [host for host in HOSTILE if host and not host[0].isalpha()])
def test_a_name_that_resolves_to_a_hostile_address_is_refused(host):
    policy = OutboundPolicy(
        allow=OutboundPolicy.build(allow=["0.0.0.0/0"]).allow, resolver=lambda name: [host.strip("[]")]
    )
    with pytest.raises((OutboundRefused, ValueError)):
        policy.vet("camera.example", 554)


def test_deny_by_default_and_allow_by_entry():
    policy = OutboundPolicy.build(allow=["10.2.0.0/16:554-8554", "100.64.0.0/10"])
    assert policy.vet("10.2.3.4", 554) == "10.2.3.4"
    assert policy.vet("100.64.0.1", 80) == "100.64.0.1"
    for host, port in [("10.2.3.4", 22), ("10.3.0.1", 554), ("8.8.8.8", 443)]:
        with pytest.raises(OutboundRefused):
            policy.vet(host, port)


def test_exact_pairs_may_name_loopback_but_never_an_own_service():
    policy = OutboundPolicy.build(
        exact=["127.0.0.1:9000", "127.0.0.1:5432"], own_services=[("127.0.0.1", 5432)]
    )
    assert policy.vet("127.0.0.1", 9000) == "127.0.0.1"
    for port in (9001, 5432):
        with pytest.raises(OutboundRefused):
            policy.vet("127.0.0.1", port)


def test_every_address_of_a_name_must_be_permitted():
    policy = OutboundPolicy(
        allow=OutboundPolicy.build(allow=["10.0.0.0/8"]).allow,
        resolver=lambda name: ["10.0.0.1", "127.0.0.1"],
    )
    with pytest.raises(OutboundRefused):
        policy.vet("both.example", 80)
