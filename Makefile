.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c

# The tools' own virtual environment comes first, so that commands need no prefix.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
UV := $(shell command -v uv || echo .cache/uv/bin/uv)
# A Java is brought along where there is none that Spark can use.
JAVA = $(shell java -version 2>&1 | grep -qE 'version "(1[7-9]|[2-9][0-9])' || echo --extra java)
# Linters and downloads need nothing of each other.
MAKEFLAGS += --jobs=$(shell getconf _NPROCESSORS_ONLN)

.PHONY: help
help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: setup
setup: .venv/.ready  ## Install what a laptop needs into .venv

.venv/.ready: uv.lock pyproject.toml | $(UV)
	@$(UV) sync --quiet --frozen --no-dev --extra local
	@touch $@

.PHONY: spark
spark: .venv/.spark  ## Install what developers need, too: Spark, its jars, linters and tests

.venv/.spark: uv.lock pyproject.toml tools/install.py tools/spark_jars.sha256 | $(UV)
	@$(UV) sync --quiet --frozen --compile-bytecode --extra spark --extra databricks $(JAVA)
	@python -m tools.install
	@touch .venv/.ready $@

# Only a broker of one's own needs these.
.cache/kafka/.ready: tools/broker_jars.sha256 | .venv/.spark
	@python -m tools.install broker
	@touch $@

# Checks of what is sent to Stripe, and of workflows, where there is a Go to build them.
OF_GO = $(if $(shell command -v go),.cache/bin/stripe-mock .cache/bin/actionlint)

.cache/bin/%: | .venv/.spark
	@python -m tools.install $*

.cache/uv/bin/uv:
	@python3 -m venv .cache/uv
	@.cache/uv/bin/pip install --quiet uv

.PHONY: demo
demo: .venv/.ready  ## Generate sample data, run everything, say where to look
	@lakehouse generate --out .lakehouse/landing --deliveries 2
	@python -m sampledata.servers --deliveries 2 lakehouse run --landing .lakehouse/landing
	@lakehouse query --file analyses/sales_by_year.sql
	@lakehouse query --file analyses/storefront_profit_by_year_and_category.sql
	@lakehouse report
	@printf '%s\n' 'Look around:' \
		'  source .venv/bin/activate' \
		'  lakehouse query "select * from gold.fct_sales limit 10"' \
		'  lakehouse status' \
		'  lakehouse chart fct_sales --x order_date --y profit --out profit.html' \
		'  lakehouse dashboard    # pages with charts, in a browser' \
		'  make docs    # every table and column, with lineage'

.PHONY: kafka
kafka: .cache/kafka/.ready  ## Run a Kafka broker on port 9092 until Ctrl-C
	@exec python -m tools.broker

.PHONY: rates
rates: setup  ## Bring the newest rates of exchange into the seed ecb_rates
	@python -m tools.exchange_rates

.PHONY: governance
governance: setup  ## Write deploy/governance.sql anew from the `pii` of columns
	@python -m tools.governance

.PHONY: dashboards
dashboards: setup  ## Write AI/BI dashboards and SQL alerts of deploy/ anew from pages, metrics and checks
	@lakehouse export aibi --out deploy

.PHONY: screenshots
screenshots: .venv/.spark  ## Draw the pictures of the README anew, after `make demo`; needs Chromium
	@python -m tools.screenshots

.PHONY: test
test: .cache/kafka/.ready $(OF_GO) lint  ## Run every check and test
	@pytest -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: check
check: lint  ## The inner loop: lint, types and the tests that need no Spark
	@pytest -n 2 --dist loadfile --no-loadscope-reorder -m 'not spark and not soak'

.PHONY: lint lint-python lint-sql
lint: lint-python lint-sql  ## Check style and types of Python, SQL and YAML

lint-python: .venv/.spark
	@ruff check
	@ruff format --check --quiet
	@mypy
	@lint-imports

lint-sql: .venv/.spark
	@yamllint --strict .
	@sqlfluff lint --disable-progress-bar models tests analyses
	@python -m tools.check_sql

.PHONY: soak
soak: .cache/kafka/.ready  ## Long campaigns: kill commands at random moments and compare the outcome
	@pytest -m soak -s

.PHONY: bench
bench: .cache/kafka/.ready  ## Measure files at scales 1, 10 and 100, uploads and streaming
	@python -m benchmarks
	@python -m benchmarks.upload
	@python -m benchmarks.streaming

.PHONY: docs
docs: setup  ## Build the dbt docs site into site/
	@$(if $(wildcard .env),dotenv run --no-override) dbt docs generate --static --quiet \
		--vars 'unit_tests: false' --target-path target/docs
	@mkdir -p site && cp target/docs/static_index.html site/index.html
	@echo "Open site/index.html"
