from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from scripts.supervision import processes_of
from tracker.environment import DEFAULTS, PROJECT_ROOT


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((PROJECT_ROOT / "docker-compose.yml").read_text())


@pytest.fixture(scope="module")
def processes() -> dict[str, list[str]]:
    return processes_of((PROJECT_ROOT / "Procfile").read_text())


def test_the_procfile_names_web_worker_and_beat(processes: dict[str, list[str]]) -> None:
    assert list(processes) == ["web", "worker", "beat"]


def test_containers_run_the_same_commands_as_the_supervisor(compose, processes) -> None:
    assert {name: compose["services"][name]["command"] for name in processes} == processes


def test_every_service_has_a_health_check_or_ends_by_itself(compose) -> None:
    checked = {name for name, service in compose["services"].items() if "test" in service.get("healthcheck", {})}

    assert checked | {"web", "bootstrap"} == set(compose["services"])
    assert "HEALTHCHECK" in (PROJECT_ROOT / "Dockerfile").read_text()  # web's own


def test_the_processes_wait_for_the_bootstrap_and_it_for_the_servers(compose) -> None:
    services = compose["services"]

    for name in ("web", "worker", "beat"):
        assert services[name]["depends_on"] == {"bootstrap": {"condition": "service_completed_successfully"}}
    assert set(services["bootstrap"]["depends_on"]) == {"postgres", "redis"}


def test_every_volume_and_variable_that_the_containers_use_is_known(compose) -> None:
    for service in compose["services"].values():
        for mount in service.get("volumes", []):
            assert mount.partition(":")[0] in compose["volumes"]
    for name in ("bootstrap", "web", "worker", "beat"):
        assert set(compose["services"][name]["environment"]) <= set(DEFAULTS)


def test_the_image_runs_without_privileges_and_without_local_secrets() -> None:
    dockerfile = (PROJECT_ROOT / "Dockerfile").read_text()
    ignored = (PROJECT_ROOT / ".dockerignore").read_text().split()

    assert re.search(r"^USER tracker$", dockerfile, flags=re.MULTILINE)
    assert {".env", "var", ".git", ".venv"} <= set(ignored)
