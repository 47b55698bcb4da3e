"""Names of places: a label says what differs from most, and the caption what it leaves out."""

from kb.analysis.findings import Place
from kb.site.labels import left_unsaid, place_labels

PLAIN = [Place(model, "cpu", 1, 1) for model in ("cnn_s", "mlp8", "resnet50")]
BATCH, THREADS = Place("cnn_s", "cpu", 16, 1), Place("cnn_s", "cpu", 1, 2)


def test_places_that_are_alike_are_named_by_their_model_alone() -> None:
    assert place_labels(PLAIN) == {place: (place.model, "") for place in PLAIN}
    assert left_unsaid(PLAIN) == "batch 1, 1 thread, cpu"


def test_a_label_says_what_differs_from_most() -> None:
    labels = place_labels([BATCH, *PLAIN, THREADS])
    assert labels[PLAIN[0]] == ("cnn_s", "")
    assert labels[BATCH] == ("cnn_s", "batch 16")
    assert labels[THREADS] == ("cnn_s", "2 threads")
    assert left_unsaid([BATCH, *PLAIN, THREADS]) == "batch 1, 1 thread, cpu where a label says nothing else"


def test_of_values_that_are_as_frequent_the_smallest_is_left_out() -> None:
    pair = [Place("mlp8", "cpu", 8, 1), Place("mlp8", "cpu", 1, 1)]
    assert {label for _, label in place_labels(pair).values()} == {"", "batch 8"}


def test_no_place_has_no_label() -> None:
    assert place_labels([]) == {}
    assert left_unsaid([]) == ""
