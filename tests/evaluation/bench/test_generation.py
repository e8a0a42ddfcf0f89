import numpy as np

from semguide.evaluation.bench.generation import trace_columns
from semguide.guidance import Trace

NAN = float("nan")


def trace(similarity: list[list[float]], abstract: list[float] | None = None) -> Trace:
    values = np.array(similarity)
    return Trace(
        method="sgt",
        concepts=(("a cat", "a dog"),),
        similarity=(values,),
        gate=(values * 0,),
        weight=(values * 2,),
        abstract=(None if abstract is None else np.array(abstract),),
    )


def test_a_trace_becomes_columns_with_none_for_steps_that_were_not_evaluated():
    columns = trace_columns(trace([[0.25, 0.5], [NAN, NAN], [0.75, 1 / 3]]))
    assert columns["similarity"] == [[0.25, 0.5], None, [0.75, 0.333333]]
    assert columns["gate"] == [[0.0, 0.0], None, [0.0, 0.0]]
    assert columns["weight"] == [[0.5, 1.0], None, [1.5, 0.666667]]
    assert columns["mean_similarity"] == [0.5, 0.416667]
    assert columns["abstract"] is None


def test_an_abstract_concept_is_kept_beside_the_others():
    assert trace_columns(trace([[0.25, 0.5], [NAN, NAN]], [0.125, NAN]))["abstract"] == [0.125, None]


def test_a_trace_without_values_is_none():
    for similarity in ([[NAN, NAN]], np.empty((2, 0)).tolist()):
        assert set(trace_columns(trace(similarity)).values()) == {None}


def test_no_trace_is_none_in_the_same_columns():
    assert trace_columns(None) == trace_columns(trace([[NAN, NAN]]))
