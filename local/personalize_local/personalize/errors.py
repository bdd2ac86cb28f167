"""The errors that the service answers with.

See https://docs.aws.amazon.com/personalize/latest/dg/CommonErrors.html
"""

from __future__ import annotations


class ServiceError(Exception):
    """An error as a client of the service sees it.

    :param code: the error's name in the API, such as ``ResourceNotFoundException``.
    :param message: what the client reads.
    :param status: HTTP status. Default: - 400, or what the API's model gives the code when it goes over HTTP.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


class JobError(Exception):
    """Asynchronous work that ends in a ``... FAILED`` status; the text becomes the failureReason."""


def invalid_input(message: str) -> ServiceError:
    """The request is wrong in itself."""
    return ServiceError("InvalidInputException", message)


def not_found(message: str) -> ServiceError:
    """What the request names does not exist."""
    return ServiceError("ResourceNotFoundException", message)


def in_use(message: str) -> ServiceError:
    """What the request names is busy, or something depends on it."""
    return ServiceError("ResourceInUseException", message)


def already_exists(arn: str) -> ServiceError:
    """The name is taken."""
    return ServiceError("ResourceAlreadyExistsException", f"Another resource with Arn {arn} already exists.")


def limit_exceeded(message: str) -> ServiceError:
    """A quota is used up."""
    return ServiceError("LimitExceededException", message)


def not_emulated(service: str, operation: str) -> ServiceError:
    """The operation exists on AWS but not here."""
    return ServiceError("InternalFailure", f"{service}:{operation} is not emulated by personalize-local", 501)
