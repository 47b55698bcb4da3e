"""What stands in a message of a SARIF log is text, whatever it says."""

import pytest

from kb.sarif import MAX_MESSAGE, message_text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("plain", "plain"),
        ("a [link](https://e.org)", r"a \[link\](https://e.org)"),
        ("{0} of {}", "{{0}} of {{}}"),
        ("a\\b", r"a\\b"),
        ("two\nlines", "two lines"),
    ],
)
def test_outside_text_begins_no_link_and_no_placeholder(text: str, message: str) -> None:
    assert message_text(text) == message


def test_a_message_is_bounded() -> None:
    assert len(message_text("a" * 10_000)) <= MAX_MESSAGE
