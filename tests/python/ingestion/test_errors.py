"""What errors say, and what they keep to themselves."""

import pytest

from ingestion.errors import root_cause, shape_of, without_contacts, without_passwords
from ingestion.landing import s3


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("http://anna:s3cret@host:9000/x failed", "http://***@host:9000/x failed"),
        ("'https://anna:s3/c@ret@host'", "'https://***@host'"),
        ("s3://bucket/a:b@c", "s3://bucket/a:b@c"),
        ("http://host:80/ and a@b", "http://host:80/ and a@b"),
    ],
)
def test_passwords_in_addresses_are_not_shown(said: str, shown: str) -> None:
    assert without_passwords(said) == shown
    assert root_cause(ValueError(said)) == shown


def test_object_storage_that_fails_is_named_without_its_password() -> None:
    said = (
        "Generic S3 error\n  ↳ Error performing PUT http://anna:s3cret@host:9000/lake/t/_delta_log/1.json "
        "in 1ms - HTTP error\n   ↳ Connection reset by peer (os error 104)"
    )
    assert root_cause(OSError(said)) == (
        "Object storage did not answer. Look whether it can be reached, and run the same command again "
        "(host:9000/lake/t/_delta_log/1.json)."
    )


def test_a_record_is_shown_by_its_shape() -> None:
    assert shape_of('{"Name": "José", "n": +49 30_1}') == '{"xxxx": "xxxx", "x": +99 99_9}'


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("no customer jane.doe+1@shop.example.com here", "no customer *** here"),
        ("+49 (30) 123-4567 is taken, 5550142199 too", "*** is taken, *** too"),
        (
            "Invalid API key; see request req_1234567890 of 2026",
            "Invalid API key; see request req_1234567890 of 2026",
        ),
    ],
)
def test_what_a_server_says_has_no_contacts(said: str, shown: str) -> None:
    assert without_contacts(said) == shown


def test_an_endpoint_that_does_not_answer_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = {"ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b", "MAX_ATTEMPTS": "1", "REGION": "eu-west-1"}
    for name, value in (settings | {"ENDPOINT_URL": "http://anna:s3cret@127.0.0.1:1"}).items():
        monkeypatch.setenv(f"AWS_{name}", value)
    s3.client.cache_clear()
    with pytest.raises(s3.StorageError, match=r"127\.0\.0\.1:1") as raised:
        s3.head("s3://bucket/key")
    s3.client.cache_clear()
    assert "s3cret" not in str(raised.value)
