.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c

# The tools' own virtual environment comes first, so that commands need no prefix.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
UV := $(shell command -v uv || echo .cache/uv/bin/uv)
# A Java is brought along where there is none that Spark can use.
JAVA := $(shell java -version 2>&1 | grep -qE 'version "(1[7-9]|[2-9][0-9])' || echo --extra java)
# Linters, downloads and the class archive need nothing of each other.
MAKEFLAGS += --jobs=$(shell getconf _NPROCESSORS_ONLN)

.PHONY: help
help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: setup
setup: .venv/.ready .cache/spark.jsa  ## Install everything into .venv and .cache

.venv/.ready: uv.lock pyproject.toml lakehouse/install.py lakehouse/jars.sha256 | $(UV)
	@$(UV) sync --quiet --frozen $(JAVA)
	@python -m lakehouse.install
	@touch $@

# Takes longer than it saves in a first demo, which does without.
.cache/spark.jsa: .venv/.ready
	@$(UV) sync --quiet --frozen --compile-bytecode $(JAVA)
	@python -m lakehouse.install archive

# Only a broker of one's own needs these.
.cache/kafka/.ready: lakehouse/broker_jars.sha256 | .venv/.ready
	@python -m lakehouse.install broker
	@touch $@

.cache/uv/bin/uv:
	@python3 -m venv .cache/uv
	@.cache/uv/bin/pip install --quiet uv

.PHONY: demo
demo: .venv/.ready  ## Generate sample data, run everything, say where to look
	@lakehouse generate --out .lakehouse/landing --deliveries 2
	@lakehouse run --landing .lakehouse/landing
	@lakehouse query --file analyses/sales_by_year.sql
	@lakehouse query --file analyses/storefront_profit_by_year_and_category.sql
	@lakehouse report
	@printf '%s\n' 'Look around:' \
		'  source .venv/bin/activate' \
		'  lakehouse query "select * from gold.fct_sales limit 10"' \
		'  lakehouse status' \
		'  lakehouse chart fct_sales --x order_date --y profit --out profit.html' \
		'  make docs    # every table and column, with lineage'

.PHONY: kafka
kafka: setup .cache/kafka/.ready  ## Run a Kafka broker on port 9092 until Ctrl-C
	@exec python -m lakehouse.broker

.PHONY: test
test: setup .cache/kafka/.ready lint  ## Run every check and test
	@pytest -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: lint lint-python lint-sql
lint: lint-python lint-sql  ## Check style and types of Python, SQL and YAML

lint-python: .venv/.ready
	@ruff check
	@ruff format --check --quiet
	@mypy

lint-sql: .venv/.ready
	@yamllint --strict .
	@sqlfluff lint --disable-progress-bar models snapshots tests analyses

.PHONY: soak
soak: setup .cache/kafka/.ready  ## Long campaigns: kill loads and builds at 20 random moments and compare the outcome
	@pytest -m soak -s

.PHONY: bench
bench: setup .cache/kafka/.ready  ## Measure files at scales 1, 10 and 100, uploads and streaming
	@python -m benchmarks
	@python -m benchmarks.upload
	@python -m benchmarks.streaming

.PHONY: docs
docs: setup  ## Build the dbt docs site into site/
	@$(if $(wildcard .env),dotenv run --no-override) dbt docs generate --static --quiet
	@mkdir -p site && cp target/static_index.html site/index.html
	@echo "Open site/index.html"
