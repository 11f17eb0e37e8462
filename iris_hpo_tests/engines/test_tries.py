"""What waits is given out once each, and neighbours to one worker."""

from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from iris_hpo.engines.tries import Shares, Try

STEPS = st.lists(
    st.tuples(st.sampled_from(["take", "put back", "free"]), st.integers(0, 3), st.integers(1, 5)),
    max_size=60,
)


def shares_of(count):
    return Shares(Try(f"item {number}", number) for number in range(count))


def numbers(tries):
    return [one.number for one in tries]


@given(count=st.integers(0, 40), steps=STEPS)
def test_every_item_is_given_out_once(count, steps):
    shares, given_out = shares_of(count), {worker: [] for worker in range(4)}
    for what, worker, size in steps:
        held = given_out[worker]
        if what == "take":
            taken = shares.take(worker, size)
            assert taken or not shares
            assert len(taken) <= size
            held += taken
        elif what == "put back":
            shares.put_back(worker, held[-size:])
            del held[-size:]
        else:
            shares.free(worker)
        assert len(shares) == count - sum(map(len, given_out.values()))

    while shares:
        given_out[0] += shares.take(0, 7)

    assert sorted(numbers(chain(*given_out.values()))) == list(range(count))


def test_each_worker_gets_neighbours():
    shares = shares_of(12)

    found = {worker: numbers(shares.take(worker, 2)) for worker in "abc"}

    assert found == {"a": [0, 1], "b": [7, 8], "c": [4, 5]}, "of ten left, five; of five, three"
    assert numbers(shares.take("a", 9)) == [2, 3]
    assert numbers(shares.take("b", 9)) == [9, 10, 11]
    assert numbers(shares.take("b", 9)) == [6], "what another one has left"
    assert shares.take("c", 9) == []


def test_items_that_were_not_done_come_next():
    shares = shares_of(6)
    taken = shares.take("a", 3)

    shares.put_back("a", taken[1:])

    assert numbers(shares.take("a", 9)) == [1, 2, 3, 4, 5]


def test_a_free_share_is_taken_over_whole():
    shares = shares_of(6)
    shares.take("a", 2)

    shares.free("a")
    shares.free("nobody")

    assert numbers(shares.take("b", 9)) == [2, 3, 4, 5]
