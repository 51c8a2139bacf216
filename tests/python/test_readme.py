"""The README's example source is added to a copy of the project, and a second one with history."""

import re
from pathlib import Path

import pytest

from tests.python import PROJECT
from tests.python.lakehouse.conftest import Lakehouse, copy_project

# A block of code that begins with the name of its file.
_FILE = re.compile(r"```(?:yaml|sql)\n(?:#|--) (models/\S+)\n(.*?)```", re.DOTALL)

AGENTS = {
    "models/silver/rota/_rota__sources.yml": """
sources:
  - name: rota
    schema: bronze
    tables:
      - name: agents
        identifier: rota_agents
        description: One row per agent and extract, as sent.
        config:
          meta:
            {path: rota/agents*.csv, format: csv, delivery: complete, keys: [agent_id], newest_by: changed_at}
        data_tests:
          - extract_not_truncated: {name: rota_agents_extract_cut_off, arguments: {key: agent_id}}
          - row_accounting:
              name: rota_agents_rows_unaccounted_for
              arguments: {silver: ["ref('stg_rota__agents')"]}
        columns:
          - {name: agent_id, data_type: int, description: Number of the agent.}
          - {name: team, data_type: string, description: Team of the agent.}
          - {name: changed_at, data_type: timestamp, description: When the record was changed.}
""",
    "models/silver/rota/stg_rota__agents.sql": """
select
    agent_id,
    team,
    is_deleted
from ({{ current_versions(ref('rota_agents'), 'agent_id') }}) as versions
""",
    "snapshots/_rota.yml": """
snapshots:
  - name: rota_agents
    description: One row per agent and version.
    relation: source('rota', 'agents')
    config: {unique_key: agent_id}
""",
}


@pytest.fixture
def lakehouse(tmp_path: Path) -> Lakehouse:
    """An empty home and landing zone for a copy of the project."""
    return Lakehouse(tmp_path, {"LAKEHOUSE_PROJECT": str(copy_project(tmp_path / "project"))})


def add(lakehouse: Lakehouse, files: dict[str, str]) -> None:
    for name, text in files.items():
        file = Path(lakehouse.settings["LAKEHOUSE_PROJECT"]) / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def land(lakehouse: Lakehouse, name: str, text: str) -> None:
    file = lakehouse.landing / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_the_help_desk_is_loaded_built_tested_and_accounted_for(lakehouse: Lakehouse) -> None:
    files = dict(_FILE.findall((PROJECT / "README.md").read_text()))
    assert len(files) == 3
    add(lakehouse, files)
    tickets = [
        '{"ticket_id": 1, "email": "a@example.com", "Opened at": "2026-01-01 10:00:00"}',
        '{"ticket_id": 1, "email": "b@example.com", "Opened at": "2026-01-01 10:00:00"}',
        '{"ticket_id": "none", "email": "c@example.com"}',
    ]
    land(lakehouse, "helpdesk/tickets_1.json", "\n".join(tickets))
    output = lakehouse.run("run", "--source", "helpdesk")
    assert " 0 failed" in output
    assert lakehouse.value("select count(*) from silver.stg_helpdesk__tickets") == 1
    assert lakehouse.rows(
        "select bronze_rows, silver_rows, superseded_rows, rejected_rows from ops.row_accounting"
    ) == [(3, 1, 1, 1)]


def test_a_complete_extract_gets_its_history_from_yaml(lakehouse: Lakehouse) -> None:
    add(lakehouse, AGENTS)
    header = "agent_id,team,changed_at"
    land(lakehouse, "rota/agents_1.csv", f"{header}\n1,Red,2026-01-01\n1,Blue,2026-01-02\n2,Red,2026-01-01\n")
    lakehouse.run("run", "--source", "rota")
    land(lakehouse, "rota/agents_2.csv", f"{header}\n1,Green,2026-01-03\n")
    assert " 0 failed" in lakehouse.run("run", "--source", "rota")
    assert lakehouse.rows(
        "select agent_id, team, dbt_valid_to is null from snapshots.rota_agents "
        "order by agent_id, dbt_valid_from"
    ) == [(1, "Blue", False), (1, "Green", True), (2, "Red", False)]
    assert lakehouse.rows("select * from silver.stg_rota__agents order by agent_id") == [
        (1, "Green", False),
        (2, "Red", True),
    ]
