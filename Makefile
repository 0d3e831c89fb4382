# One command for each thing one wants; `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

# NODE=24: on another Node.js than the one in PATH, from the npm package `node`.
WITH_NODE := $(if $(NODE),npm exec --yes --package=node@$(NODE) -- )

PACKAGES := node_modules/.package-lock.json
CLIENT := generated/prisma/client.ts
BUILT := dist/built
# Folders, too: they are younger when a file of theirs has come or gone.
SOURCES := $(shell find src contracts prisma/migrations scripts/copy-assets.mjs tsconfig.json tsconfig.build.json)

.PHONY: help
help: ## what can be done
	@echo 'make TARGET'
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  \1\t\2/p' Makefile | expand -t 18
	@echo
	@echo 'Servers come from DATABASE_URL, REDIS_URL and RABBITMQ_URL where they are set, else from a Docker engine,'
	@echo 'else from installed programs, else from Debian packages, which are installed (not with NO_INSTALL=1).'
	@echo 'RABBITMQ=docker, installed, 3.10, 4.0 or 4.3 chooses the broker of test, faults, bench and demo; NODE=24 the Node.js of tests.'

.PHONY: demo
demo: build ## a fleet, three example services and a simulated Telegram, 90 s at most (KEEP=1: leave it running)
	@node scripts/with-servers.mjs .local/demo npm run --silent demo

.PHONY: up
up: build ## start the service and its servers in the background
	@node scripts/service.mjs up .local/servers

.PHONY: down
down: node ## stop what `up`, and `demo KEEP=1`, left running; data stay
	@node scripts/service.mjs down .local/servers
	@node scripts/service.mjs down .local/demo

.PHONY: test
test: $(CLIENT) ## all tests, on real servers (ARGS=test/decide: some of them)
	@$(WITH_NODE)npm test --silent -- $(ARGS)

.PHONY: check
check: $(CLIENT) ## formatting, typed lint, types, import direction, dead code
	@npm run --silent check

.PHONY: audit
audit: node ## known vulnerabilities of the packages; fails too when the registry does not tell (AUDIT_OFFLINE=1: only says so)
	@npm run --silent audit

.PHONY: sbom
sbom: node ## what a production installation consists of, into dist/sbom.json (CycloneDX)
	@npm run --silent sbom

.PHONY: reference
reference: $(PACKAGES) ## both contracts as one HTML page that needs no network, into dist/reference.html
	@npm run --silent reference

.PHONY: bench
bench: build ## requests per second, on fresh servers (ARGS: options of the load script)
	@node scripts/with-servers.mjs .local/bench npm run --silent bench -- $(ARGS)

.PHONY: bench-growth
bench-growth: build ## one user with 100,000 accounts beside one with few, and what that costs the few (ARGS: options)
	@node scripts/with-servers.mjs .local/bench npm run --silent bench:growth -- $(ARGS)

.PHONY: bench-fleet
bench-fleet: build ## what requests cost beside 1,000,000 accounts, a long history, many channels (ARGS: options)
	@node scripts/with-servers.mjs .local/bench npm run --silent bench:fleet -- $(ARGS)

.PHONY: bench-backlog
bench-backlog: build ## how 1,000,000 actions that have gathered are worked off, beside callers (ARGS: options)
	@node scripts/with-servers.mjs .local/bench npm run --silent bench:backlog -- $(ARGS)

.PHONY: soak
soak: build ## whether memory and answers stay as they are for 30 minutes of a mixed load (ARGS: options)
	@node scripts/with-servers.mjs .local/bench npm run --silent soak -- $(ARGS)

.PHONY: bench-recovery
bench-recovery: build ## how late 5,000 accounts recover within a minute, beside 200 requests/s (ARGS: options)
	@node scripts/with-servers.mjs .local/bench npm run --silent bench:recovery -- $(ARGS)

.PHONY: bench-jobs
bench-jobs: build ## how long every job takes on 100,000 accounts, beside 200 requests/s (ARGS: options)
	@node scripts/with-servers.mjs .local/bench npm run --silent bench:jobs -- $(ARGS)

.PHONY: bench-views
bench-views: build ## what a page of each view costs among 1,000,000 accounts, alone and beside traffic (ARGS: options)
	@node scripts/with-servers.mjs .local/bench npm run --silent bench:views -- $(ARGS)

.PHONY: bench-consoles
bench-consoles: build ## what 50 open consoles cost the service beside requests (ARGS: options)
	@node scripts/with-servers.mjs .local/bench npm run --silent bench:consoles -- $(ARGS)

.PHONY: faults
faults: build ## every fault under load, judged from outside; prints a table (FAULT_SEED=n replays, FAULT_ROUNDS=n)
	@SKIP_SERVERS=1 EVERY_FAULT=1 $(WITH_NODE)npm test --silent -- --runInBand test/faults/every-fault $(ARGS)

.PHONY: faults-cluster
faults-cluster: build ## what a RabbitMQ cluster of three loses under load, judged from outside; prints a table (RABBITMQ=4.3)
	@SKIP_SERVERS=1 EVERY_FAULT=1 $(WITH_NODE)npm test --silent -- --runInBand test/faults/cluster-faults $(ARGS)

.PHONY: drills
drills: $(CLIENT) ## the guides that take long, carried out: back-up and restore, upgrade, moving over, CONTRIBUTING (ARGS=test/drills/restore)
	@DRILLS=1 npm test --silent -- --runInBand $(or $(ARGS),test/drills)

.PHONY: fuzz
fuzz: $(CLIENT) ## 100,000 messages, most of them wrong, against one process (FUZZ_MESSAGES, FUZZ_SEED)
	@FUZZ_MESSAGES=$${FUZZ_MESSAGES:-100000} npm test --silent -- test/fuzz $(ARGS)

.PHONY: console-show
console-show: $(CLIENT) ## the console's pictures in docs/console anew, an operator's morning, and how fast its page loads
	@SHOW_CONSOLE=1 npm test --silent -- --runInBand test/console/show $(ARGS)

.PHONY: watch-test
watch-test: $(CLIENT) ## rules, dashboard and runbook against a running service and a Prometheus that scrapes it
	@WATCH=1 $(WITH_NODE)npm test --silent -- --runInBand test/watching $(ARGS)

.PHONY: image-test
image-test: $(CLIENT) ## build the image without a Docker engine, start it read-only and without rights, measure it (as root, some minutes)
	@IMAGE_TEST=1 npm test --silent -- --runInBand test/image $(ARGS)

.PHONY: clean
clean: down ## stop everything and remove what was built, and all local data
	@for servers in .local/*/state.json; do \
	  if [ -e "$$servers" ]; then node scripts/servers.mjs clean "$$(dirname "$$servers")"; fi; \
	done
	rm -rf .local dist generated coverage

.PHONY: build
build: $(BUILT) ## compile into dist/, where something has changed

.PHONY: node
node:
	@command -v node >/dev/null || { echo "This needs Node.js with npm; see https://nodejs.org" >&2; exit 1; }
	@node scripts/check-node.mjs

$(PACKAGES): package-lock.json | node
	npm ci --no-audit --no-fund
	@touch $@

$(BUILT): $(SOURCES) $(CLIENT) | node
	@echo 'Compiling'
	@npm run --silent compile
	@touch $@

$(CLIENT): prisma/schema.prisma $(PACKAGES) | node
	@npm run --silent generate
	@touch $@
