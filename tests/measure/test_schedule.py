"""Replicates are interleaved in rounds, and the seed alone decides their order."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from kb.measure.schedule import schedule
from kb.records.case import Case, Kind

CASES = [Case("m", runtime) for runtime in "abcd"]


@given(st.integers(1, 8), st.integers(1, 6), st.integers(0, 2**32))
def test_every_round_holds_every_case_once(count, replicates, seed):
    cases = CASES[:count]
    jobs = schedule(cases, replicates, seed, aa_case=cases[0])
    size = len(cases) + 1
    for number in range(replicates):
        this_round = jobs[number * size : (number + 1) * size]
        assert {job.replicate for job in this_round} == {number}
        assert Counter(job.case for job in this_round if job.kind is Kind.LATENCY) == Counter(cases)
        assert [job.case for job in this_round if job.kind is Kind.AA] == [cases[0]]


def test_memory_comes_last_once_per_case():
    jobs = schedule(CASES, 2, seed=1)
    assert Counter(job.case for job in jobs[-4:] if job.kind is Kind.MEMORY) == Counter(CASES)
    assert sum(job.kind is Kind.MEMORY for job in jobs) == 4
    assert all(job.kind is not Kind.MEMORY for job in schedule(CASES, 2, seed=1, memory=False))


def test_the_same_seed_gives_the_same_order_and_another_seed_another():
    assert schedule(CASES, 8, seed=5) == schedule(CASES, 8, seed=5)
    assert schedule(CASES, 8, seed=5) != schedule(CASES, 8, seed=6)


def test_no_job_stands_twice():
    jobs = schedule(CASES, 5, seed=3, aa_case=CASES[1])
    assert len(set(jobs)) == len(jobs) == 5 * 5 + 4
