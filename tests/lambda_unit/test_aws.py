"""Patience with what may pass: a permission that was just given, a throttle, a fault of the service."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoCredentialsError

from personalize_lambda import aws
from personalize_lambda.provider import is_complete


def error(code: str, status: int = 400) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Describe")  # type: ignore[typeddict-item]


PASSING = [
    error("AccessDenied", 403),
    error("AccessDeniedException"),
    error("ThrottlingException"),
    error("InternalFailure", 500),
    EndpointConnectionError(endpoint_url="https://personalize"),
]
LASTING = [error("InvalidInputException"), error("ResourceNotFoundException"), NoCredentialsError()]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "PAUSE_SECONDS", 0.001)


def answers(failures: list[ClientError | BotoCoreError]) -> Iterator[str]:
    for failure in failures:
        raise failure
    yield "done"


@pytest.mark.parametrize("failure", PASSING, ids=str)
def test_what_may_pass_is_tried_again(failure: ClientError | BotoCoreError) -> None:
    failures = [failure] * 3
    assert aws.patiently(lambda: next(answers([failures.pop()] if failures else []))) == "done"


@pytest.mark.parametrize("failure", LASTING, ids=str)
def test_what_lasts_is_not(failure: ClientError | BotoCoreError) -> None:
    calls: list[int] = []

    def act() -> str:
        calls.append(1)
        return next(answers([failure]))

    with pytest.raises(type(failure)):
        aws.patiently(act)
    assert len(calls) == 1


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "PATIENCE_SECONDS", 0.02)
    with pytest.raises(ClientError, match="AccessDenied"):
        aws.patiently(lambda: next(answers([error("AccessDenied", 403)])))


def test_long_messages_are_shortened() -> None:
    with pytest.raises(RuntimeError, match=r"^a{1000} \.\.\. b{1000}$"), aws.short_messages():
        raise ValueError("a" * 3000 + "b" * 3000)
    with pytest.raises(ValueError, match=r"^short$"), aws.short_messages():
        raise ValueError("short")


@pytest.mark.parametrize(
    ("failure", "seconds", "raises"),
    [
        (error("AccessDeniedException"), 0, False),
        (error("AccessDeniedException"), aws.PATIENCE_SECONDS + 1, True),
        (error("ThrottlingException"), 30 * 60, False),
        (error("ThrottlingException"), 56 * 60, True),
        (error("InvalidInputException"), 0, True),
    ],
)
def test_what_cannot_be_told_yet_is_not_complete(
    failure: ClientError, seconds: float, raises: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Module:
        @staticmethod
        def is_complete(event: object) -> dict[str, bool]:
            raise failure

    monkeypatch.setattr(is_complete, "module_for", lambda event: Module)
    event = {"StartedAt": is_complete.time.time() - seconds}
    if raises:
        with pytest.raises(ClientError):
            is_complete.handler(event, None)
    else:
        assert is_complete.handler(event, None) == {"IsComplete": False}
