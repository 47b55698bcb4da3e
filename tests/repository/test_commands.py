"""Running git: what others wrote is shown safely, and nothing is left running."""

import pytest

from kb.repository.commands import REASON_CHARACTERS, Result, masked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("'https://ada:s3cret@example.org/kb.git/'", "'https://***@example.org/kb.git/'"),
        ("https://ghp_token@example.org/kb.git", "https://***@example.org/kb.git"),
        ("https://ada:s3@cr@et@example.org/kb.git", "https://***@example.org/kb.git"),
        ("ssh://git@example.org and https://a:b@example.org", "ssh://***@example.org and https://***@example.org"),
        ("https://example.org/kb.git sent by ada@example.org", "https://example.org/kb.git sent by ada@example.org"),
    ],
)
def test_what_stands_before_the_host_of_an_address_is_not_shown(text: str, shown: str):
    assert masked(text) == shown


@pytest.mark.parametrize(
    ("errors", "reason"),
    [
        ("hint: try this\nfatal: bad object\nfatal: and so on", "fatal: bad object"),
        (
            "ssh: Could not resolve hostname x\nfatal: Could not read from remote repository.\n\n"
            "Please make sure you have the correct access rights\nand the repository exists.",
            "ssh: Could not resolve hostname x",
        ),
        ("checked\nno large files\nerror: failed to push some refs to 'x'", "no large files"),
        ("error: failed to push some refs to 'x'", "error: failed to push some refs to 'x'"),
        ("", "git ended with code 128 and said nothing"),
        ("fatal: \x1b[2J\x07bell", "fatal: [2Jbell"),
        ("fatal: https://a:b@c", "fatal: https://***@c"),
    ],
)
def test_the_reason_is_the_line_that_says_most(errors: str, reason: str):
    assert Result(128, b"", errors).reason == reason


def test_the_reason_is_bounded():
    assert len(Result(128, b"", "fatal: " + "x" * 10_000).reason) == REASON_CHARACTERS


def test_a_lock_is_told_from_other_failures():
    assert Result(128, b"", "fatal: Unable to create '/kb/.git/index.lock': File exists.").locked
    assert not Result(128, b"", "fatal: Unable to create '/kb/.git/index.lock': Permission denied").locked
    assert not Result(0, b"", "warning: Unable to create '/kb/.git/index.lock': File exists.").locked
