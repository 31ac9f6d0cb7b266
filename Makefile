# Thin front door over CMake: each target installs what the machine lacks, then builds or runs.
# The work is described in CMakeLists.txt and CMakePresets.json; nothing is compiled here.
# One test more than processors: some wait for lines and clocks.
JOBS ?= $(shell nproc)
TESTS ?= $(shell expr $(JOBS) + 1)
DESTDIR ?=
PREFIX ?= /usr/local
LIST := packaging/debian-
CTEST := ctest --preset debug -j$(TESTS)

.PHONY: all debug test test-full demo bench claims size size-arm legal-cost deb install docs format clean help
.NOTPARALLEL:

all: ## build the release (build/release)
	@packaging/install-missing $(LIST)build.txt
	@cmake --preset release >/dev/null
	@cmake --build --preset release -j$(JOBS)

debug: ## build the tests with sanitizers (build/debug)
	@packaging/install-missing $(LIST)build.txt $(LIST)test.txt
	@cmake --preset debug >/dev/null
	@cmake --build --preset debug -j$(JOBS)

test: debug ## build and run the tests (minutes)
	@$(CTEST) -LE full

test-full: debug ## all tests, also the long ones; the result goes to docs/test-full.md
	@tools/test-full docs/test-full.md $(CTEST)

demo: all ## eight meters, their past, a head-end and its pages
	@build/release/ferraris demo

bench: all ## measure the baselines: median and spread
	@cmake --build --preset release -j$(JOBS) --target bench
	@set -e; for program in build/release/bench/bench_*; do $$program; done

claims: ## which rows of the datasheet ledger are proved (page: build/claims.html)
	@$(MAKE) --no-print-directory debug >&2
	@$(CTEST) -L claims -V >build/claims.log || true
	@tools/claims tests/claims/claims.tsv build/claims.html <build/claims.log

size: ## flash and RAM per room on a Cortex-M4
	@packaging/install-missing $(LIST)cross.txt
	@tools/size build/size

size-arm: ## a small and the eight whole meters on a Cortex-M4: text, RAM, stack under QEMU, against their gates
	@packaging/install-missing $(LIST)build.txt $(LIST)cross.txt
	@cmake --preset debug >/dev/null
	@cmake --build --preset debug -j$(JOBS) --target dlms_small_client meter_image_client >/dev/null
	@tools/size-arm build/arm build/debug/tests/firmware/images/dlms_small_client build/debug/tests/firmware/images/meter_image_client

legal-cost: ## the legal part on Cortex-M4 and M0+: instructions per sample set under QEMU, the PC's bits
	@packaging/install-missing $(LIST)build.txt $(LIST)cross.txt
	@cmake --preset debug >/dev/null
	@cmake --build --preset debug -j$(JOBS) --target legal_cost_host >/dev/null
	@tools/legal-cost build/debug/legal-cost build/debug/tests/firmware/images/legal_cost_host

deb: all ## Debian packages of the library: build/release/*.deb
	@cd build/release && cpack -G DEB

install: all ## install the program, libraries and headers (PREFIX, DESTDIR)
	@DESTDIR=$(DESTDIR) cmake --install build/release --prefix $(PREFIX)

docs: all ## write the pages that come from the code (docs/)
	@cmake --build --preset release --target docs

format: ## format all C sources in place
	@packaging/install-missing $(LIST)test.txt
	@tools/format --fix

clean: ## remove build/
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1	\2/p' Makefile | expand -t 12
