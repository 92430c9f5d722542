"""Bounds on new sessions."""

from __future__ import annotations

from poise.server.notification import admission as admission_module
from poise.server.notification.admission import Admission, AdmissionPolicy


def test_creations_of_an_address_come_back_evenly() -> None:
    admission = Admission(AdmissionPolicy(creations_per_minute=60))
    refused = [admission.enter("10.0.0.1", 1000.0) for _ in range(61)]
    assert refused[:60] == [None] * 60
    assert refused[60] == "too many sessions created by one address"
    assert admission.enter("10.0.0.1", 1000.5) is not None
    assert admission.enter("10.0.0.1", 1001.0) is None
    assert admission.enter("10.0.0.2", 1001.0) is None


def test_sessions_that_are_not_signed_in_are_bounded_over_all_addresses() -> None:
    admission = Admission(AdmissionPolicy(unauthenticated_max=2))
    assert admission.enter("10.0.0.1", 0.0) is None
    assert admission.enter("10.0.0.2", 0.0) is None
    assert admission.enter("10.0.0.3", 0.0) == "too many sessions that are not signed in"
    admission.settled("10.0.0.1")
    assert admission.enter("10.0.0.3", 0.0) is None
    assert (admission.unauthenticated, admission.refused) == (2, 1)


def test_one_address_cannot_take_all_the_room() -> None:
    admission = Admission(AdmissionPolicy(unauthenticated_max=10, unauthenticated_per_address=2))
    assert [admission.enter("10.0.0.1", 0.0) is None for _ in range(3)] == [True, True, False]
    assert admission.enter("10.0.0.2", 0.0) is None
    admission.settled("10.0.0.1")
    assert admission.enter("10.0.0.1", 0.0) is None


def test_the_memory_of_addresses_is_bounded() -> None:
    admission = Admission(AdmissionPolicy(unauthenticated_max=10**9))
    most = admission_module.ADDRESSES_MAX
    for number in range(most + 10):
        assert admission.enter(f"address {number}", 0.0) is None
        admission.settled(f"address {number}")
    assert len(admission._buckets) == most
    assert admission._by_address == {}
