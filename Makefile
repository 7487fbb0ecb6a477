# gridctl: build, test, install. `make` alone lists what there is.
#
# Every step says what it does before it does it, and its exit code is the one of the command that failed.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Where `make install` puts things; DESTDIR is put in front of it, for packagers.
PREFIX ?= /usr/local
DESTDIR ?=
# What is left out of the installed binary: all (debug sections and symbols), debug (the debug sections alone: crash
# reports then name functions, for 32 MB), or nothing.
STRIP ?= all

SWIFT ?= swift
# The package manager leaves locks and empty folders behind: in the build folder, not in /tmp.
SCRATCH := $(CURDIR)/.build/tmp
IN_SCRATCH = TMPDIR='$(SCRATCH)' $(SWIFT)
# ICU's data, 34 MB, is for languages, calendars and time zones: nothing that gridctl asks of Foundation. Where it would be
# stands the beginning of the program, which ICU does not take for its data, whichever version the toolchain has.
WITHOUT_LOCALES := $(foreach version,74 75 76 77 78 79 80,-Xlinker --defsym -Xlinker icudt$(version)_dat=_start)
# Fully static: a one-shot command spends most of its time in the dynamic loader otherwise. The linker's remarks about
# getaddrinfo and dlopen say that unusual name services (nsswitch.conf) want the glibc it was built with.
RELEASE := -c release --static-swift-stdlib -Xswiftc -static-executable -Xswiftc -enforce-exclusivity=unchecked -Xlinker --gc-sections $(WITHOUT_LOCALES)
# Leaves the etcd engine and the gRPC it needs out. A folder of its own, so that a full build does not begin anew.
LEAN := --disable-default-traits --scratch-path .build-lean
FORMATTED := Sources Tests Package.swift

# What Debian calls the things that are needed: to build and run, and for the tests beside that.
BUILD_PACKAGES := binutils libsqlite3-dev libreadline-dev bc
TEST_PACKAGES := $(BUILD_PACKAGES) procps etcd-server etcd-client openssl iproute2 iptables bash zsh fish mandoc man-db \
  python3 strace
PACKAGES ?= $(BUILD_PACKAGES)

.PHONY: help demo check test simulate fuzz tsan build install format lint bench clean dependencies toolchain

help:
	@echo 'make demo      install what is missing, build, and take a tour through a cluster of three nodes'
	@echo 'make check     install what is missing, check the style, build and run all tests with the debug build'
	@echo 'make test      the same, what runs gridctl once more with the release binary as it is installed, and simulate'
	@echo 'make simulate  run simulated clusters, a thousand seeds, and planted faults (release)'
	@echo 'make fuzz      feed parsers and decoders with made-up inputs; TARGET=frame SECONDS=600: one of them, for longer'
	@echo '               EXECUTIONS=10000000: that many inputs; SANITIZER=none: fast, without the address sanitizer'
	@echo 'make tsan      run the suites of the pure rooms, links and actors under the thread sanitizer'
	@echo 'make build     build gridctl (release, with the Swift standard library linked in)'
	@echo 'make install   build and install into PREFIX, now $(DESTDIR)$(PREFIX); STRIP=debug keeps the symbols'
	@echo 'make format    rewrite the sources in the house format'
	@echo 'make lint      check the format and style of the sources'
	@echo 'make bench     run the benchmarks'
	@echo 'make clean     remove what was built'

demo: dependencies
	@echo '==> building gridctl (debug, without etcd: that would take three times as long)'
	@$(IN_SCRATCH) build $(LEAN) --product gridctl
	@if [ ! -x Tests/Demo/tour.sh ]; then echo 'make: Tests/Demo/tour.sh is missing from this copy' >&2; exit 1; fi
	@echo '==> taking the tour (Tests/Demo/tour.sh)'
	@GRIDCTL="$$($(IN_SCRATCH) build $(LEAN) --show-bin-path)/gridctl" Tests/Demo/tour.sh

# One suite after the other: side by side their clusters would wait for a processor for longer than a lease lives.
SUITES := $(notdir $(wildcard Tests/Grid*Tests)) GridFuzzTests
# Those that run gridctl itself: scenarios, transcripts and README, terminals, faults.
BINARY_SUITES := GridCommandsTests GridREPLTests GridFaultTests
# Where `make test` installs what it tests.
STAGE := $(CURDIR)/.build/stage

# $(call run_suites,SUITES,WHAT): runs all of them, whatever fails, and at the end tells again what failed: the output of
# some suites is long.
define run_suites
	@failed=; folder="$$(mktemp -d -p '$(SCRATCH)')"; trap 'rm -r "$$folder"' EXIT; \
	for suite in $(1); do \
	  echo "==> running $$suite with $(2)"; \
	  if ! $(IN_SCRATCH) test --skip-build --filter "^$$suite\." 2>&1 | tee "$$folder/output"; then \
	    failed+=" $$suite"; \
	    { grep -E '^(✘|↳)' "$$folder/output" || tail -n 20 "$$folder/output"; } | head -n 100 >>"$$folder/failures"; \
	  fi; \
	done; \
	if [ -n "$$failed" ]; then \
	  echo '==> what failed:' >&2; cut -c 1-900 "$$folder/failures" >&2; \
	  echo "make: tests failed with $(2) in$$failed" >&2; exit 1; \
	fi
endef

check: PACKAGES := $(TEST_PACKAGES)
check: dependencies lint
	@echo '==> building gridctl and its tests (debug)'
	@$(IN_SCRATCH) build --build-tests
	$(call run_suites,$(SUITES),the debug build)
	@echo '==> all tests passed with the debug build'

test: check
	@$(MAKE) install PREFIX='$(STAGE)' DESTDIR=
	$(call run_suites,$(BINARY_SUITES),the installed binary)
	@$(MAKE) simulate
	@echo '==> all tests passed'

# In the same folder as gridctl and with the same flags, so that what both consist of is compiled once.
simulate: dependencies
	@echo '==> building the simulator (release), and the tests that run it'
	@$(IN_SCRATCH) build --build-tests
	@$(IN_SCRATCH) build $(RELEASE) --product GridSimulator
	@echo '==> simulating: a thousand seeds take two minutes, planted faults as much'
	$(call run_suites,GridSimulationTests,the release build)

# The names of the targets are in Tests/Fuzz/fuzz.sh. Each target runs for SECONDS, or EXECUTIONS times.
#
# SANITIZER is address or none, each with a folder of its own, since everything is built with it. Swift checks bounds,
# overflow and optionals by itself, so that what ends the process is found without the address sanitizer as well, at
# several times the speed: for long runs. With it what we use is instrumented as well, and faults are found in the C
# below and in what is unsafe of ours.
SECONDS ?= 60
EXECUTIONS ?=
TARGET ?=
SANITIZER ?= address
FUZZ_FOLDER_address := .build-fuzz --sanitize=fuzzer --sanitize=address
FUZZ_FOLDER_none := .build-fuzz-fast
FUZZ_FLAGS = -c release --disable-default-traits --scratch-path $(FUZZ_FOLDER_$(SANITIZER)) -Xswiftc -enable-testing
FUZZ_PROGRAMS := FuzzValues FuzzWire FuzzTexts FuzzStores
FUZZ_LIMIT = $(if $(EXECUTIONS),-runs=$(EXECUTIONS),-max_total_time=$(SECONDS))

fuzz: export GRIDCTL_FUZZ = 1
fuzz: dependencies
	@case '$(SANITIZER)' in \
	  address|none) ;; \
	  *) echo 'make: SANITIZER is address or none' >&2; exit 1 ;; \
	esac
	@for program in $(FUZZ_PROGRAMS); do \
	  echo "==> building $$program (release, for the fuzzing engine, sanitizer: $(SANITIZER))"; \
	  $(IN_SCRATCH) build $(FUZZ_FLAGS) --product "$$program"; \
	done
	@Tests/Fuzz/fuzz.sh "$$($(IN_SCRATCH) build $(FUZZ_FLAGS) --show-bin-path)" '$(FUZZ_LIMIT)' $(TARGET)

# Those whose own code has threads; the suites of gridctl run it as it is, a process of its own.
TSAN_SUITES := GridCoreTests GridConcurrencyTests GridRequestsTests GridClusterTests GridLinkTests GridActorsTests GridTests
TSAN_FLAGS := --disable-default-traits --scratch-path .build-tsan --sanitize=thread

tsan: export GRIDCTL_SUITES = $(TSAN_SUITES)
# A race ends the run: a test in which there was one passes all the same.
tsan: export TSAN_OPTIONS = halt_on_error=1
tsan: export SWIFT_BACKTRACE = enable=no
tsan: dependencies
	@echo '==> building $(TSAN_SUITES) (debug, with the thread sanitizer)'
	@$(IN_SCRATCH) build $(TSAN_FLAGS) --product gridctlPackageTests
	@failed=; for suite in $(TSAN_SUITES); do \
	  echo "==> running $$suite under the thread sanitizer"; \
	  $(IN_SCRATCH) test $(TSAN_FLAGS) --skip-build --filter "^$$suite\." || failed+=" $$suite"; \
	done; \
	if [ -n "$$failed" ]; then echo "make: races, or failed tests, in$$failed" >&2; exit 1; fi

test: export GRIDCTL_TEST_PREFIX = $(STAGE)
check: export GRIDCTL_TEST_PREFIX =
simulate: export GRID_SIMULATOR = $(CURDIR)/.build/release/GridSimulator
check: export GRID_SIMULATOR =

build: dependencies
	@echo '==> building gridctl (release)'
	@$(IN_SCRATCH) build $(RELEASE) --product gridctl

install: build
	@echo '==> installing into $(DESTDIR)$(PREFIX)'
	@binary="$$($(IN_SCRATCH) build $(RELEASE) --show-bin-path)/gridctl"; \
	place() { echo "    $$3"; install -D -m "$$1" "$$2" "$$3"; }; \
	root='$(DESTDIR)$(PREFIX)'; \
	place 0755 "$$binary" "$$root/bin/gridctl"; \
	case '$(STRIP)' in \
	  debug) strip --strip-debug "$$root/bin/gridctl" ;; \
	  all) strip "$$root/bin/gridctl" ;; \
	  nothing) ;; \
	  *) echo 'make: STRIP is debug, all or nothing' >&2; exit 1 ;; \
	esac; \
	if [ -f Completions/gridctl.bash ]; then \
	  place 0644 Completions/gridctl.bash "$$root/share/bash-completion/completions/gridctl"; fi; \
	if [ -f Completions/_gridctl ]; then \
	  place 0644 Completions/_gridctl "$$root/share/zsh/site-functions/_gridctl"; fi; \
	if [ -f Completions/gridctl.fish ]; then \
	  place 0644 Completions/gridctl.fish "$$root/share/fish/vendor_completions.d/gridctl.fish"; fi; \
	for page in Man/*.[1-9]; do \
	  place 0644 "$$page" "$$root/share/man/man$${page##*.}/$${page##*/}"; \
	done; \
	unit="$$(mktemp -p '$(SCRATCH)')"; \
	sed 's|@BINDIR@|$(PREFIX)/bin|' Sources/Services/gridctl.service >"$$unit"; \
	place 0644 "$$unit" "$$root/lib/systemd/system/gridctl.service"; \
	rm "$$unit"

format: toolchain
	@echo '==> formatting $(FORMATTED)'
	@$(IN_SCRATCH) format -i --parallel -r $(FORMATTED)

lint: toolchain
	@echo '==> checking the format of $(FORMATTED)'
	@$(IN_SCRATCH) format lint --strict --parallel -r $(FORMATTED)

BENCHMARKS := run failover names stream

bench: build
	@echo '==> running the benchmarks (about ten minutes)'
	@export GRIDCTL="$$($(IN_SCRATCH) build $(RELEASE) --show-bin-path)/gridctl"; \
	for benchmark in $(BENCHMARKS); do echo; echo "==> $$benchmark"; Tests/Benchmarks/$$benchmark.sh; done

clean:
	@echo '==> removing what was built'
	@$(IN_SCRATCH) package clean
	@rm -rf .build-lean .build-fuzz .build-fuzz-fast .build-tsan

toolchain:
	@mkdir -p '$(SCRATCH)'
	@if ! command -v '$(SWIFT)' >/dev/null; then \
	  echo 'make: there is no Swift toolchain on the PATH: install Swift 6.2 or newer from https://swift.org/install' >&2; \
	  echo '      (under sudo: sudo env PATH="$$PATH" make ...)' >&2; \
	  exit 1; \
	fi

# Installs what dpkg does not know as installed; asks for nothing and touches nothing when all is there.
dependencies: toolchain
	@echo '==> looking for $(PACKAGES)'
	@if ! command -v dpkg-query >/dev/null; then \
	  echo '    this is no Debian or Ubuntu: make sure that the equivalents of these packages are installed'; \
	  exit 0; \
	fi; \
	missing=''; \
	for package in $(PACKAGES); do \
	  state="$$(dpkg-query -W -f '$${db:Status-Abbrev}' "$$package" 2>/dev/null || true)"; \
	  if [ "$${state:0:2}" != ii ]; then missing="$$missing $$package"; fi; \
	done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	echo "==> installing$$missing with apt-get"; \
	as_root=''; \
	if [ "$$(id -u)" != 0 ]; then \
	  if ! command -v sudo >/dev/null; then \
	    echo "make: run this as root, or install sudo: apt-get install$$missing" >&2; exit 1; \
	  fi; \
	  as_root=sudo; \
	fi; \
	$$as_root apt-get update -q; \
	$$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing
