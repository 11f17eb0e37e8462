"""Errors: a message for the user, and the place in a search's description that it is about."""

import pickle

import pytest

from iris_hpo.errors import CandidateError, InputError, at_field


def test_an_input_error_is_its_message():
    error = InputError("choose another", field=["axes", 1])

    assert str(error) == "choose another"
    assert error.field == ("axes", 1)
    assert InputError("choose another").field == ()


def test_places_are_put_together_from_the_inside_out():
    with (
        pytest.raises(InputError) as refusal,
        at_field("axes", 1),
        at_field("parameter"),
    ):
        raise InputError("choose another", field=("name",))

    assert refusal.value.field == ("axes", 1, "parameter", "name")
    assert str(refusal.value) == "choose another"


def test_other_errors_pass_a_place_untouched():
    with pytest.raises(KeyError), at_field("axes"):
        raise KeyError


@pytest.mark.parametrize("kind", [InputError, CandidateError])
def test_errors_come_back_from_worker_processes(kind):
    error = pickle.loads(pickle.dumps(kind("choose another")))

    assert type(error) is kind
    assert str(error) == "choose another"
