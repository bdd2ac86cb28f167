"""The entry points of the provider."""

from __future__ import annotations

import pytest

from personalize_lambda.provider import is_complete, on_event, registry


@pytest.mark.parametrize("resource_type", registry.MODULES)
def test_every_module_has_what_the_entry_points_call(resource_type: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    module = registry.module_for({"ResourceType": resource_type})

    for name in ("create", "update", "delete", "is_complete"):
        assert callable(getattr(module, name))


@pytest.mark.parametrize("handler", [on_event.handler, is_complete.handler])
def test_an_unknown_resource_type_is_named(handler: object) -> None:
    with pytest.raises(ValueError, match=r"^resource type must be one of \[.+\], got 'Custom::Other'$"):
        handler({"ResourceType": "Custom::Other", "RequestType": "Create"}, None)  # type: ignore[operator]
