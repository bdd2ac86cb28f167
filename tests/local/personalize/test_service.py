from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

import pytest

from personalize_local.personalize import Personalize, ServiceError, Settings

from .support import ACCOUNT, INTERACTIONS_SCHEMA, REGION, Buckets, Builder, Cloud, interactions_csv


def test_calls_in_the_process(cloud: Cloud) -> None:
    answer = cloud.service.call("personalize", "CreateDatasetGroup", {"name": "x"}, account=ACCOUNT, region=REGION)
    assert answer == {"datasetGroupArn": f"arn:aws:personalize:{REGION}:{ACCOUNT}:dataset-group/x"}
    with pytest.raises(ServiceError) as raised:
        cloud.service.call("personalize", "DescribeDatasetGroup", {}, account=ACCOUNT, region=REGION)
    assert (raised.value.code, raised.value.status) == ("InvalidInputException", 400)
    with pytest.raises(ServiceError, match="There is no operation personalize:MakeCoffee"):
        cloud.service.call("personalize", "MakeCoffee", {}, account=ACCOUNT, region=REGION)


def test_regions_of_china(cloud: Cloud) -> None:
    answer = cloud.service.call(
        "personalize", "CreateDatasetGroup", {"name": "x"}, account=ACCOUNT, region="cn-north-1"
    )
    assert answer["datasetGroupArn"].startswith("arn:aws-cn:personalize:cn-north-1:")


def test_an_answer_is_a_copy(cloud: Cloud, build: Builder) -> None:
    configuration = {"algorithmHyperParameters": {"apply_recency_bias": "true"}}
    solution = build.solution(build.group(), solutionConfig=configuration)

    def describe() -> dict[str, dict[str, dict[str, dict[str, str]]]]:
        return cloud.service.call(
            "personalize", "DescribeSolution", {"solutionArn": solution}, account=ACCOUNT, region=REGION
        )

    describe()["solution"]["solutionConfig"]["algorithmHyperParameters"]["apply_recency_bias"] = "changed"
    assert describe()["solution"]["solutionConfig"] == configuration


def test_nothing_moves_once_closed() -> None:
    others = set(threading.enumerate())
    service = Personalize(objects=Buckets(), settings=Settings(time_scale=0.01))
    answer = service.call("personalize", "CreateDatasetGroup", {"name": "x"}, account=ACCOUNT, region=REGION)
    service.close()
    time.sleep(0.7)
    found = service.call("personalize", "DescribeDatasetGroup", answer, account=ACCOUNT, region=REGION)
    assert found["datasetGroup"]["status"] == "CREATE PENDING"
    assert not {thread for thread in threading.enumerate() if thread.name == "personalize-timer"} - others


def test_many_clients_at_once(make_cloud: Callable[..., Cloud]) -> None:
    """Every name is given once, every answer is a documented one, and nothing is left in between."""
    cloud = make_cloud(Settings(quotas={"dataset_groups": 1000, "schemas": 1000, "busy_import_jobs": 1000}))
    build = Builder(cloud)
    group = build.group()
    dataset = build.dataset(group)
    tracker = cloud.personalize.create_event_tracker(name="t", datasetGroupArn=group)
    build.wait("event_tracker", tracker["eventTrackerArn"])
    location = cloud.buckets.put("in.csv", interactions_csv())
    created: list[str] = []
    unexpected: list[Exception] = []

    def act(seed: int) -> None:
        chance = random.Random(seed)
        for step in range(40):
            name = f"n{chance.randrange(60)}"
            operations = (
                ("personalize", "CreateSchema", {"name": name, "schema": INTERACTIONS_SCHEMA}),
                ("personalize", "CreateDatasetGroup", {"name": name}),
                ("personalize", "ListDatasetGroups", {"maxResults": 5}),
                (
                    "personalize",
                    "CreateDatasetImportJob",
                    {
                        "jobName": name,
                        "datasetArn": dataset,
                        "dataSource": {"dataLocation": location},
                        "roleArn": "arn:aws:iam::000000000000:role/r",
                    },
                ),
                (
                    "personalize-events",
                    "PutEvents",
                    {
                        "trackingId": tracker["trackingId"],
                        "sessionId": f"s{seed}",
                        "eventList": [{"eventType": "watch", "sentAt": step, "itemId": "i"}],
                    },
                ),
            )
            service, operation, parameters = chance.choice(operations)
            try:
                answer = cloud.service.call(service, operation, parameters, account=ACCOUNT, region=REGION)
                created.extend(value for key, value in answer.items() if key.endswith("Arn"))
            except ServiceError as error:
                if error.code != "ResourceAlreadyExistsException":
                    unexpected.append(error)
            except Exception as error:
                unexpected.append(error)

    threads = [threading.Thread(target=act, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert unexpected == []
    assert len(created) == len(set(created))
    client = cloud.personalize
    end = time.monotonic() + 20
    while jobs := [j for j in client.list_dataset_import_jobs()["datasetImportJobs"] if j["status"] != "ACTIVE"]:
        assert time.monotonic() < end, jobs
        time.sleep(0.05)
    put = [call for call in cloud.service.calls.find("PutEvents") if call.error is None]
    contents = cloud.service._engine.state.scope(ACCOUNT, REGION).datasets[dataset]
    imported = 1500 if any(":dataset-import-job/" in arn for arn in created) else 0
    assert len(contents) == imported + len(put)
