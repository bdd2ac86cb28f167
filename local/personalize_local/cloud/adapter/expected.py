"""Guards around monkey patches: the emulator's version and the shape of what is replaced."""

import functools
import inspect
from collections.abc import Callable
from importlib.metadata import version
from types import ModuleType
from typing import Any

MINISTACK_VERSION = "1.5.33"


class IncompatibleEmulatorError(RuntimeError):
    """The installed ministack is not the one that the patches were written for."""


def require_version() -> None:
    """Refuse any ministack but the pinned one.

    :raises IncompatibleEmulatorError: when another version is installed.
    """
    installed = version("ministack")
    if installed != MINISTACK_VERSION:
        raise IncompatibleEmulatorError(
            f"ministack {installed} is installed, personalize-local needs {MINISTACK_VERSION}; "
            f"run: pip install 'ministack=={MINISTACK_VERSION}'"
        )


def wrap(owner: ModuleType | type, name: str, parameters: str, wrapper: Callable[[Callable[..., Any]], Any]) -> None:
    """Replace a function by what `wrapper` makes of it.

    :param owner: the module or class that holds the function.
    :param name: the function's name.
    :param parameters: the names of its parameters, separated by spaces.
    :param wrapper: receives the original and returns the replacement.
    :raises IncompatibleEmulatorError: when there is no such function, or it has other parameters.
    """
    original = getattr(owner, name, None)
    if not callable(original):
        raise IncompatibleEmulatorError(f"{owner.__name__}.{name} does not exist in ministack {MINISTACK_VERSION}")
    found = " ".join(inspect.signature(original).parameters)
    if found != parameters:
        raise IncompatibleEmulatorError(f"{owner.__name__}.{name} has parameters ({found}), expected ({parameters})")
    # update_wrapper keeps the signature, so that several patches can be stacked on one function.
    setattr(owner, name, functools.update_wrapper(wrapper(original), original))


def substitute(owner: ModuleType, name: str, old: str, new: str, *, count: int = 1) -> None:
    """Replace text in a string constant of the emulator.

    :param owner: the module that holds the constant.
    :param name: the constant's name.
    :param old: the text to find.
    :param new: what to put in its place.
    :param count: how often `old` must occur. Default: 1
    :raises IncompatibleEmulatorError: when the text does not occur exactly `count` times.
    """
    text = getattr(owner, name, "")
    if text.count(old) != count:
        raise IncompatibleEmulatorError(
            f"{owner.__name__}.{name} contains {old!r} {text.count(old)} times, expected {count}"
        )
    setattr(owner, name, text.replace(old, new))


def rewrite(owner: ModuleType, name: str, *texts: str) -> None:
    """Replace texts in the source of a function of the emulator that nothing wraps yet.

    :param owner: the module that holds the function.
    :param name: the function's name.
    :param texts: a text to find, what to put in its place, another text to find, and so on.
    :raises IncompatibleEmulatorError: when there is no such function, or a text does not occur exactly once in it.
    """
    function = getattr(owner, name, None)
    if not inspect.isfunction(function) or hasattr(function, "__wrapped__"):
        raise IncompatibleEmulatorError(f"{owner.__name__}.{name} is no function as it was written")
    source = inspect.getsource(function)
    for old, new in zip(texts[::2], texts[1::2], strict=True):
        if source.count(old) != 1:
            raise IncompatibleEmulatorError(
                f"{owner.__name__}.{name} contains {old!r} {source.count(old)} times, expected once"
            )
        source = source.replace(old, new)
    exec(compile(source, owner.__file__ or name, "exec"), owner.__dict__)  # noqa: S102


def constant(owner: ModuleType, name: str, old: object, new: object) -> None:
    """Replace a constant of the emulator.

    :param owner: the module that holds the constant.
    :param name: the constant's name.
    :param old: the value that it must have.
    :param new: the value to give it.
    :raises IncompatibleEmulatorError: when it has another value.
    """
    found = getattr(owner, name, None)
    if found != old:
        raise IncompatibleEmulatorError(f"{owner.__name__}.{name} is {found!r}, expected {old!r}")
    setattr(owner, name, new)


def table(owner: ModuleType, name: str, *keys: str) -> Any:
    """A dictionary of the emulator that has at least these keys.

    :param owner: the module that holds the dictionary.
    :param name: the dictionary's name.
    :param keys: keys that it must have, as a sign that it is what it was.
    :raises IncompatibleEmulatorError: when it is missing, no dictionary, or lacks a key.
    """
    found = getattr(owner, name, None)
    missing = [key for key in keys if not isinstance(found, dict) or key not in found]
    if not isinstance(found, dict) or missing:
        raise IncompatibleEmulatorError(f"{owner.__name__}.{name} is not a dictionary with {missing or 'entries'}")
    return found
