# Everything that is done with this project from a shell. `make` alone lists it.
# Needed: git, Python 3.11 or newer, a C compiler for packages without a ready-made wheel; for the
# tests also the headers of Kerberos and OpenLDAP, Java 17, Maven, nginx, Redis, PostgreSQL, a KDC and
# slapd, which `make test` installs on Debian where it may.

.POSIX:
.SUFFIXES:

# Variables of `make run`: what is behind the gateway (a URL, embedded: is a local directory), where
# it listens, and where its configuration, users and state lie.
BACKEND =
PORT = 8080
DATA = ./data

# How many processes run tests at once; each starts its own Hadoop where one is needed. 0: this one.
# Twice as many as a small machine has CPUs: half of the time a test waits, for a restart or a deadline.
JOBS = 4

# --if-reachable: where no advisory service can be asked, `make audit` says so and goes on.
AUDIT =

VENV = .venv
BIN = $(VENV)/bin
LOCKS = requirements
COMPILE = $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options
# What builds the project itself is locked with it; pip-compile takes that for pyproject.toml alone.
EDITABLE = --build-deps-for editable

help: ## show this list
	@echo 'make TARGET [NAME=value ...], where TARGET is one of'
	@echo
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name text; do \
		printf '  %-8s %s\n' "$$name" "$$text"; done

venv: $(VENV)/.dev ## make the virtual environment, with the tools for development

run: $(VENV)/.run ## start the gateway, with a first user (BACKEND=, PORT=8080, DATA=./data)
	@BACKEND='$(BACKEND)' PORT='$(PORT)' DATA='$(DATA)' exec $(BIN)/python scripts/run_gateway.py

hadoop: $(VENV)/.run ## start Hadoop 3.4.2 for trying things by hand (NameNode 9870, HttpFS 14000)
	@sh scripts/test-tools.sh java maven
	@exec $(BIN)/python -m tests.hadoop --user "$${DEMO_HDFS_USER:-$${DEMO_USER:-someone}}"

test: $(VENV)/.dev ## run all tests, on a real Hadoop too; ARGS='tests/api -k name' runs some (JOBS=4)
	@sh scripts/test-tools.sh java maven nginx openssl curl redis-server postgresql slapd \
		krb5-kdc krb5-admin-server krb5-user faketime
	@sh scripts/test.sh $(BIN)/python $(JOBS) $(ARGS)

check: $(VENV)/.dev ## lint, types, and who may import whom
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy --strict scripts
	$(BIN)/lint-imports

audit: $(VENV)/.dev ## look the locked packages up among known vulnerabilities (AUDIT=--if-reachable)
	$(BIN)/python scripts/audit.py $(AUDIT) $(LOCKS)/run.txt $(LOCKS)/dev.txt

bench: $(VENV)/.dev ## measure the gateway beside HttpFS, WebHDFS and rclone; ARGS= are its options
	@sh scripts/test-tools.sh java maven nginx openssl
	$(BIN)/python -m bench $(ARGS)

chaos: $(VENV)/.dev ## kill, hang and cut all parts under load, and count what is lost; ARGS= are its options
	@sh scripts/test-tools.sh java maven
	$(BIN)/python -m chaos $(ARGS)

lock: $(VENV)/.dev ## choose the newest versions that pyproject.toml allows, and lock them
	$(COMPILE) $(EDITABLE) --upgrade --extra dev --output-file $(LOCKS)/dev.txt pyproject.toml
	$(COMPILE) $(EDITABLE) --upgrade --constraint $(LOCKS)/dev.txt \
		--output-file $(LOCKS)/run.txt pyproject.toml
	for client in $(LOCKS)/client-*.in; do \
		$(COMPILE) --upgrade --output-file "$${client%.in}.txt" "$$client" || exit; done

clean: ## remove the virtual environment, the caches and what was built (never DATA)
	rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	rm -rf build *.egg-info
	find app bench chaos deploy scripts tests -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/.run: $(LOCKS)/run.txt pyproject.toml scripts/venv.sh
	@sh scripts/venv.sh $(VENV) $(LOCKS)/run.txt
	@touch $@

$(VENV)/.dev: $(LOCKS)/dev.txt pyproject.toml scripts/venv.sh
	@sh scripts/test-tools.sh libkrb5-dev libldap-dev libsasl2-dev
	@sh scripts/venv.sh $(VENV) $(LOCKS)/dev.txt
	@touch $(VENV)/.run $@

.PHONY: help venv run hadoop test check audit bench chaos lock clean
