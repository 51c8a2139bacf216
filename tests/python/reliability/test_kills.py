"""A command that is killed at any moment and run again ends like one that was left alone."""

from pathlib import Path

import pytest

from ..lakehouse.conftest import copy_project
from .campaign import Campaign, Tally, losses

# Commands that are killed, by the number of the delivery that waits for them.
_COMMANDS = {
    1: (["run"], ["load"], ["build"]),
    2: (
        ["run"],
        ["load"],
        ["build"],
        ["stream", "--source", "gym", "--trigger", "1 second"],
        ["clean", "gym", "--yes"],
        ["restore", "events_by_action", "--to", "0"],
    ),
}
# What is done before them.
_AFTER = {"build": "load", "restore": "run"}
# What has to be said again; the run that follows ends all others.
_SAID_AGAIN = ("clean", "restore")


def kill(campaign: Campaign, command: list[str], number: int, tally: Tally, by_time: bool = False) -> None:
    """Kill a command once, run on, and count what differs from an undisturbed run."""
    lakehouse = campaign.lakehouse
    sources = lakehouse.run_arguments[1:]
    arguments = [*command, *sources] if command[0] in ("run", "load", "build") else command

    def prepare() -> None:
        campaign.prepare(number)
        if command[0] in _AFTER:
            lakehouse.run(_AFTER[command[0]], *sources)

    prepare()
    if by_time or command[0] == "stream":
        after = campaign.chance.uniform(0, campaign.seconds)
        # One that ended before its time is killed sooner.
        while not campaign.kill_after(after, *arguments):
            after = campaign.chance.uniform(0, after)
            prepare()
        moment = f"after {after:.1f} s"
    else:
        points = campaign.points(number, *arguments)
        at = campaign.chance.randint(1, points)
        prepare()
        # What a run has to do differs a little from one to the next.
        while not campaign.kill_at(at, *arguments):
            at = campaign.chance.randint(1, at)
            prepare()
        moment = f"at point {at} of {points}"
    if command[0] in _SAID_AGAIN:
        lakehouse.run(*command)
    tally.add(f"kill of {command[0]}", f"delivery {number}, {moment}", campaign.finish(number))


def test_killed_commands_end_like_undisturbed_ones(tmp_path: Path) -> None:
    campaign, tally = Campaign(tmp_path, ("events", "gym"), seed=1), Tally()
    kill(campaign, ["run"], 1, tally)
    kill(campaign, ["run"], 2, tally, by_time=True)
    for command in _COMMANDS[2][3:]:
        kill(campaign, command, 2, tally)
    tally.close()


def test_a_killed_change_of_a_contract_is_taken_over_by_the_next_run(tmp_path: Path) -> None:
    campaign, tally = Campaign(tmp_path, ("gym",), seed=2), Tally()
    overwrite(campaign, copy_project(tmp_path / "project"), tally, kills=2)
    tally.close()


@pytest.mark.soak
def test_ninety_kills(tmp_path: Path) -> None:
    tally = Tally()
    for sources, kills in ((), 10), (("events", "gym"), 80):
        campaign = Campaign(tmp_path / f"{len(sources)} sources", sources, seed=kills)
        for number in range(kills):
            delivery = number % 2 + 1
            commands = _COMMANDS[delivery]
            kill(campaign, commands[number // 2 % len(commands)], delivery, tally, by_time=number % 3 == 0)
    tally.close()


@pytest.mark.soak
def test_ten_killed_changes_of_a_contract(tmp_path: Path) -> None:
    campaign, tally = Campaign(tmp_path, ("events", "gym"), seed=3), Tally()
    overwrite(campaign, copy_project(tmp_path / "project"), tally, kills=10)
    tally.close()


def overwrite(campaign: Campaign, project: Path, tally: Tally, kills: int) -> None:
    """Kill `run --overwrite-schema` after a contract of a stream got a column, and repeat it."""
    lakehouse = campaign.lakehouse
    _add_column(project / "models" / "silver" / "gym" / "_gym__sources.yml", "kafka_multiplex")
    lakehouse.settings["LAKEHOUSE_PROJECT"] = str(project)
    command = [*lakehouse.run_arguments, "--overwrite-schema"]
    campaign.prepare(2)
    points = campaign.points(2, *command)
    expected = lakehouse.everything()
    assert "note" in expected["bronze.gym_kafka_multiplex"].column_names
    for _ in range(kills):
        campaign.prepare(2)
        at = campaign.chance.randint(1, points)
        assert campaign.kill_at(at, *command)
        lakehouse.run(*command)
        found = losses(lakehouse.everything(), expected)
        tally.add("kill of run --overwrite-schema", f"at point {at} of {points}", found)


def _add_column(contracts: Path, table: str) -> None:
    before, after = contracts.read_text().split(f"- name: {table}\n", 1)
    columns = "        columns:\n"
    added = f"{columns}          - {{name: note, data_type: string, description: A note.}}\n"
    contracts.write_text(f"{before}- name: {table}\n" + after.replace(columns, added, 1))
