from tests.python import PROJECT

RESOURCES = sorted((PROJECT / "deploy" / "resources").glob("*.yml"))
# A job has a file of its own, named as its key.
JOBS = [file.stem for file in RESOURCES if "\n  jobs:\n" in file.read_text(encoding="utf-8")]
