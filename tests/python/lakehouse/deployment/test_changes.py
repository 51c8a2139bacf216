"""Which differences count."""

from lakehouse.deployment.changes import Change, changes


def test_defaults_and_order_make_no_difference() -> None:
    stored = {
        "format": "MULTI_TASK",
        "webhook_notifications": {},
        "tasks": [
            {"task_key": "b", "run_if": "ALL_SUCCESS", "depends_on": [{"task_key": "c"}, {"task_key": "a"}]},
            {"task_key": "a", "timeout_seconds": 0},
        ],
    }
    wanted = {
        "tasks": [
            {"task_key": "a"},
            {"task_key": "b", "depends_on": [{"task_key": "a"}, {"task_key": "c"}]},
        ]
    }
    assert changes(stored, wanted) == []


def test_what_a_cloud_adds_to_a_cluster_makes_none_and_what_is_said_does() -> None:
    def job(**cluster: object) -> dict[str, object]:
        return {"job_clusters": [{"job_cluster_key": "c", "new_cluster": cluster}]}

    assert changes(job(num_workers=1, aws_attributes={"zone_id": "auto"}), job(num_workers=1)) == []
    assert changes(job(num_workers=1), job(num_workers=2)) == [
        Change("job_clusters.c.new_cluster.num_workers", 1, 2)
    ]


def test_each_field_that_differs_is_named() -> None:
    before = {"name": "a", "tasks": [{"task_key": "x", "timeout_seconds": 5}], "tags": {"t": "1"}}
    after = {"name": "b", "tasks": [{"task_key": "y"}], "tags": {"t": "1"}}
    assert changes(before, after) == [
        Change("name", "a", "b"),
        Change("tasks.x.task_key", "x", None),
        Change("tasks.x.timeout_seconds", 5, None),
        Change("tasks.y.task_key", None, "y"),
    ]
