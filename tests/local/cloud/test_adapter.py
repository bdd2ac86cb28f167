"""The guards around the patches, and what the patches put into the emulator's tables."""

import importlib
import json
import subprocess
import sys
import types
from pathlib import Path

import pytest

from personalize_local.cloud.adapter import expected


@pytest.fixture
def module() -> types.ModuleType:
    made = types.ModuleType("emulator")
    exec("def double(number): return 2 * number\nTEXT = 'a b a'\nTABLE = {'k': 1}\nTICK = 10", made.__dict__)
    return made


def test_patches_can_be_stacked(module: types.ModuleType) -> None:
    for _ in range(2):
        expected.wrap(module, "double", "number", lambda original: lambda number: original(number) + 1)
    assert module.double(5) == 12


def test_what_is_not_as_expected_is_refused(module: types.ModuleType) -> None:
    with pytest.raises(
        expected.IncompatibleEmulatorError, match=r"emulator.double has parameters \(number\), expected"
    ):
        expected.wrap(module, "double", "value", lambda original: original)
    with pytest.raises(expected.IncompatibleEmulatorError, match=r"emulator.triple does not exist"):
        expected.wrap(module, "triple", "", lambda original: original)
    with pytest.raises(expected.IncompatibleEmulatorError, match=r"contains 'a' 2 times, expected 1"):
        expected.substitute(module, "TEXT", "a", "c")
    with pytest.raises(expected.IncompatibleEmulatorError, match=r"TABLE is not a dictionary with \['missing'\]"):
        expected.table(module, "TABLE", "missing")
    with pytest.raises(expected.IncompatibleEmulatorError, match="TICK is 10, expected 5"):
        expected.constant(module, "TICK", 5, 1)


def test_a_function_is_rewritten_in_place_and_only_as_it_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "written.py").write_text("STEP = 2\n\n\ndef double(number):\n    return STEP * number\n")
    monkeypatch.syspath_prepend(tmp_path)
    written = importlib.import_module("written")
    with pytest.raises(expected.IncompatibleEmulatorError, match=r"double contains 'triple' 0 times, expected once"):
        expected.rewrite(written, "double", "triple", "")
    expected.rewrite(written, "double", "STEP *", "STEP + 1 +", "number)", "number, more)")
    assert written.double(5, 0) == 8
    expected.wrap(written, "double", "number more", lambda original: original)
    with pytest.raises(expected.IncompatibleEmulatorError, match=r"written.double is no function as it was written"):
        expected.rewrite(written, "double", "STEP", "1")


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expected, "version", lambda name: "9.9.9")
    with pytest.raises(
        expected.IncompatibleEmulatorError, match=r"ministack 9\.9\.9 is installed, personalize-local needs"
    ):
        expected.require_version()


def test_iam_knows_the_actions_and_resources_of_personalize() -> None:
    script = """
from ministack.core import iam_actions
from personalize_local.cloud.adapter.install import install
install(None)
arn = "arn:aws:personalize:us-east-1:1:campaign/c"
body = ('{"userId": "1", "campaignArn": "%s"}' % arn).encode()
print(iam_actions.extract_iam_action("personalize", "POST", "/recommendations", {}, body, {}))
headers = {"x-amz-target": "AmazonPersonalize.DescribeCampaign"}
print(iam_actions.extract_iam_action("personalize", "POST", "/", headers, body, {}))
print(iam_actions.extract_resource_arn("personalize", "POST", "/", {}, body, {}, "us-east-1", "1") == arn)
print(iam_actions.extract_resource_arn("personalize", "POST", "/", {}, b"{}", {}, "us-east-1", "1"))
"""
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert printed.split() == ["personalize:GetRecommendations", "personalize:DescribeCampaign", "True", "*"]


def test_metrics_arrive_and_keys_are_seen() -> None:
    """In a process of its own, since the emulator keeps its state in modules."""
    script = """
import json, time
from ministack.core.responses import request_scope
from ministack.services import cloudwatch, s3
from personalize_local.cloud.adapter.metrics import EmulatorMetrics
from personalize_local.cloud.adapter.objects import EmulatorObjectStore
where = {"account": "000000000000", "region": "eu-west-1"}
values = {"dimensions": {"EVENT_TYPE": "WATCH"}, "timestamp": time.time()}
EmulatorMetrics().put("AWS/Personalize", "WATCHES", 2.0, **values, **where)
with request_scope(*where.values()):
    print(cloudwatch._list_metrics({}, {"Namespace": "AWS/Personalize"}, False, is_json=True)[2].decode())
    s3._create_bucket("bucket", b"", {})
    key = {"x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": "key"}
    s3._put_object("bucket", "secret", b"x", key)
EmulatorObjectStore().write("bucket", "plain", b"x", **where)
print(json.dumps([found.kms_key_id for found in EmulatorObjectStore().list("bucket", "", **where)]))
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    metrics, keys = map(json.loads, ran.stdout.splitlines())
    assert metrics["Metrics"] == [
        {
            "Namespace": "AWS/Personalize",
            "MetricName": "WATCHES",
            "Dimensions": [{"Name": "EVENT_TYPE", "Value": "WATCH"}],
        }
    ]
    assert keys == [None, "key"]
