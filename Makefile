# allocsnap: `make help` lists the targets.

VERSION := 0.1.0

ifeq ($(origin CC),default)
CC := gcc
endif
ifeq ($(origin CXX),default)
CXX := g++
endif
# The Python that Debian's gdb embeds.
PYTHON ?= /usr/bin/python3
CFLAGS ?= -O2 -g
# What `make lldbs` tests beside the LLDB that is installed; empty: what the release has of 14, 19, 22.
LLDBS ?=
BUILD ?= build

# Warnings end the build.
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Werror
BASE := -std=gnu11 -D_GNU_SOURCE -fPIC -fvisibility=hidden $(WARNINGS) -MMD -MP \
	-DASNAP_VERSION_STRING='"$(VERSION)"'

# What each room of the core may include is what its include path holds.
include core/rooms.mk
EVERY_ROOM := $(sort $(patsubst MAY_INCLUDE_%,%,$(filter MAY_INCLUDE_%,$(.VARIABLES))))
HOOK_ROOMS := $(filter hooks/%,$(EVERY_ROOM))
ROOMS := $(filter-out $(HOOK_ROOMS),$(EVERY_ROOM))
# Of a room whose headers are made of other files.
GENERATED := $(BUILD)/generated
GENERATED_export := $(GENERATED)
includes = $(addprefix -Icore/,$(MAY_INCLUDE_$(1)) $(1)) $(addprefix -I,$(GENERATED_$(1)))
INCLUDES_hooks := $(addprefix -Icore/,include table $(HOOK_ROOMS))
INCLUDES_unit := $(addprefix -Icore/,include table $(EVERY_ROOM)) -Itests/unit

CORE_LIBS := -ldwarf -lelf -lz -llzma -liberty -lm -lprotobuf-c -lsqlite3
HOOK_FLAGS := -fexceptions -ftls-model=initial-exec -fno-optimize-sibling-calls \
	$(addprefix -fno-builtin-,malloc calloc realloc free posix_memalign aligned_alloc)
# Neighbouring counters are written one by one and would be read as a pair, which waits for both.
HOOK_FLAGS += -fno-tree-slp-vectorize
# Of files with functions that go on to others (ASNAP_GO_ON).
FLAGS_interpose := -foptimize-sibling-calls
# gcc sees the hooks as a whole when it links them: a call passes through several files.
ifeq ($(findstring clang,$(CC)),)
HOOK_LINK_FLAGS := -flto=auto -fno-tree-slp-vectorize
HOOK_FLAGS += $(HOOK_LINK_FLAGS) -ffat-lto-objects
endif

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard $(addsuffix /*.c,$(1))))
room_objects = $(call objects,$(addprefix core/,$(1)))
PROFILE := $(GENERATED)/profile.pb-c
PROFILE_OBJECT := $(BUILD)/obj/profile.pb-c.o
CORE_OBJECTS := $(call room_objects,$(ROOMS)) $(PROFILE_OBJECT)
HOOK_OBJECTS := $(call room_objects,$(HOOK_ROOMS))
UNIT_OBJECTS := $(call objects,tests/unit)
# The part of the hooks that writes the table, and interposes nothing.
TABLE_OBJECTS := $(call room_objects,hooks/base hooks/record)
# The part that reads unwind information.
UNWIND_OBJECTS := $(call room_objects,hooks/unwind)
# And that which walks stacks by it.
WALK_OBJECTS := $(call room_objects,hooks/walk)

LIBRARY := $(BUILD)/liballocsnap.so
HOOKS := $(BUILD)/liballocsnap-hooks.so
UNIT := $(BUILD)/tests/unit
# npm's own list of what it has installed.
VIEWERS := $(BUILD)/viewers/node_modules/.package-lock.json
# The whole of pprof, which names frames by itself: `go tool pprof` names those of Go programs only.
PPROF := $(BUILD)/viewers/pprof
PPROF_SOURCES := /usr/share/gocode
# The writers of the table by themselves, for the thread sanitizer.
THREADS := $(BUILD)/tests/threads
THREADS_OBJECTS := $(addprefix $(BUILD)/obj/tests/unit/,main.o fail.o own_table.o test_table_threads.o) \
	$(call room_objects,base) $(TABLE_OBJECTS)

# Functions whose failure the unit tests can force, and free, to count what is there.
WRAPPED := malloc calloc realloc reallocarray free strdup strndup vasprintf asprintf open_memstream
WRAP_FLAGS := $(foreach function,$(WRAPPED),-Wl,--wrap=$(function))

# gcc warns of fences, which the sanitizer does not see; those here are for readers of another process.
TSAN_CFLAGS := -O1 -g -fsanitize=thread -Wno-tsan
ASAN_CFLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all

DEBUGGERS := $(shell sed -n '/^\#/!s/|.*//p' core/debuggers.txt)

# What the linters and the formatter look at. A room without sources has nothing to compile.
TIDY_ROOMS := $(foreach room,$(EVERY_ROOM),$(if $(wildcard core/$(room)/*.c),$(room)))
C_FILES := $(wildcard $(addprefix core/*/*.,c h) $(addprefix core/*/*/*.,c h) $(addprefix tests/*/*.,c h cc))
PYTHON_FILES := core/install/allocsnap $(wildcard core/install/*.py core/python/*/*.py core/python/*/*/*.py $(addsuffix /*.py,$(DEBUGGERS)) tests/*.py tests/*/*.py)
SHELL_FILES := $(wildcard core/install/*.sh core/report/*.sh core/install/debian/*.p* tests/*.sh tests/*/*.sh) .ci/run

SONAME := liballocsnap.so.0

.DEFAULT_GOAL := help

include tests/programs/programs.mk
include tests/bench/bench.mk
include tests/fuzz/fuzz.mk
include core/install/install.mk
include core/report/report.mk

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(filter Makefile %.mk,$(MAKEFILE_LIST))

.PHONY: all
all: $(LIBRARY) $(HOOKS) $(REPORT) ## build both libraries into build/, and the page of reports where npm is

define room_rule
$(BUILD)/obj/core/$(1)/%.o: core/$(1)/%.c
	@mkdir -p $$(@D)
	$$(CC) $$(BASE) $$(CFLAGS) $$(call includes,$(1)) $(2) $$(FLAGS_$$*) -c $$< -o $$@
endef
$(foreach room,$(ROOMS),$(eval $(call room_rule,$(room))))
$(foreach room,$(HOOK_ROOMS),$(eval $(call room_rule,$(room),$(HOOK_FLAGS))))

# What the compiler of protocol buffers makes is not held to this project's warnings.
$(PROFILE).c $(PROFILE).h &: core/export/profile.proto
	@mkdir -p $(@D)
	protoc --proto_path=core/export --c_out=$(GENERATED) $<

$(PROFILE_OBJECT): $(PROFILE).c
	@mkdir -p $(@D)
	$(CC) -fPIC -fvisibility=hidden -w $(CFLAGS) -c $< -o $@

$(call room_objects,export): | $(PROFILE).h

$(BUILD)/obj/tests/unit/%.o: tests/unit/%.c
	@mkdir -p $(@D)
	$(CC) $(BASE) $(CFLAGS) $(INCLUDES_unit) -c $< -o $@

$(LIBRARY): $(CORE_OBJECTS)
	$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,$(SONAME) -Wl,-z,defs -Wl,--exclude-libs,ALL -o $@ $^ $(CORE_LIBS)
	ln -sf $(@F) $(BUILD)/$(SONAME)

# They name no C library: the process has one, glibc or musl. What they take from it is listed in
# tests/hooks/test_calls.py.
$(HOOKS): $(HOOK_OBJECTS) core/hooks/hooks.map
	$(CC) $(CFLAGS) $(HOOK_LINK_FLAGS) $(LDFLAGS) -shared -Wl,-soname,liballocsnap-hooks.so -Wl,-z,now \
		-Wl,-z,nodelete -Wl,--version-script=core/hooks/hooks.map -o $@ $(HOOK_OBJECTS) \
		-nodefaultlibs -lgcc -Wl,--auxiliary=libgcc_s.so.1

$(UNIT): $(CORE_OBJECTS) $(TABLE_OBJECTS) $(UNWIND_OBJECTS) $(WALK_OBJECTS) $(UNIT_OBJECTS) | $(SPECIMENS_OVERLOADS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) $(WRAP_FLAGS) -o $@ $^ -lcunit $(CORE_LIBS)

$(THREADS): $(THREADS_OBJECTS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) $(WRAP_FLAGS) -o $@ $^ -lcunit

-include $(CORE_OBJECTS:.o=.d) $(HOOK_OBJECTS:.o=.d) $(UNIT_OBJECTS:.o=.d) \
	$(wildcard $(BUILD)/obj/tests/fuzz/*.d)

.PHONY: deps
deps: ## install what is missing (Debian packages; npm's into build/), and say what
	@tests/deps.sh test
	@$(MAKE) --no-print-directory $(VIEWERS) $(PPROF) $(REPORT_TOOLS)

# What reads exported files in the tests.
$(VIEWERS): tests/export/package.json tests/export/package-lock.json
	@mkdir -p $(BUILD)/viewers
	cp $^ $(BUILD)/viewers
	cd $(BUILD)/viewers && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(PPROF):
	@mkdir -p $(BUILD)/viewers
	cd $(PPROF_SOURCES)/src/github.com/google/pprof && GOPATH=$(PPROF_SOURCES) GO111MODULE=off \
		GOCACHE=$(abspath $(BUILD))/viewers/go-cache go build -o $(abspath $@) .

.PHONY: demo
demo: ## set up, build, and show a session in gdb
	@tests/deps.sh run
	@$(MAKE) --no-print-directory all $(PROGRAM_DIR)/server
	@tests/demo.sh $(BUILD)

.PHONY: test
test: deps ## set up, build and run every test
	@$(MAKE) --no-print-directory check

# A build takes all processors, unless make is told how many jobs it may run.
PARALLEL = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))

.PHONY: check
check: ## build and run every test, set up or not
	@$(MAKE) --no-print-directory $(PARALLEL) built-for-tests
	$(PYTHON) tests/run.py --times $(BUILD)/tests/times $(UNIT) $(BUILD)/tsan/tests/threads

.PHONY: built-for-tests
built-for-tests: all $(REPORT_TOOLS) programs $(UNIT) fuzzers tsan-threads man

.PHONY: check-quick
check-quick: ## run the unit tests and one session in gdb
	@$(MAKE) --no-print-directory $(PARALLEL) all $(UNIT) $(PROGRAM_DIR)/holds
	$(PYTHON) tests/run.py --only e2e.test_stats.AtBreakpoint.test_lines_sizes_and_counts_are_exact $(UNIT)

.PHONY: lldbs
lldbs: all programs ## run the sessions in other LLDBs (LLDBS), unpacked into build/
	@tests/deps.sh test
	@tests/lldbs.sh $(BUILD)/lldb $(LLDBS)
	cd tests && $(PYTHON) -m unittest e2e.test_scenarios e2e.test_lldb

.PHONY: asan
asan: ## run the unit tests under the address and undefined-behaviour sanitizers
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/asan CFLAGS='$(ASAN_CFLAGS)' asan-check

.PHONY: asan-check
asan-check: $(LIBRARY) $(UNIT)
	ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 $(UNIT)

.PHONY: tsan-threads
tsan-threads:
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/tsan CFLAGS='$(TSAN_CFLAGS)' tsan-threads-here

.PHONY: tsan-threads-here
tsan-threads-here: $(THREADS)

.PHONY: fuzzers
fuzzers:
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/asan CFLAGS='$(ASAN_CFLAGS)' fuzzers-here

.PHONY: fuzzers-here
fuzzers-here: $(FUZZERS) $(SPECIMENS) $(SPECIMENS_NEW) $(SPECIMENS_OVERLOADS)

.PHONY: fuzz
fuzz: ## run each fuzzer for FUZZ_SECONDS (300), and long tests of the table and of statistics
	@tests/deps.sh lint
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/fuzz CC=clang CXX=clang++ \
		CFLAGS='$(ASAN_CFLAGS) -fsanitize=fuzzer-no-link' $(addprefix fuzz-long-,$(FUZZ_NAMES))
	@$(MAKE) --no-print-directory all $(UNIT) tsan-threads
	ALLOCSNAP_STEP_OPERATIONS=10000 $(UNIT) table_steps
	ALLOCSNAP_THREAD_ROUNDS=100 $(UNIT) table_threads
	ALLOCSNAP_THREAD_ROUNDS=20 $(BUILD)/tsan/tests/threads
	cd tests && ALLOCSNAP_FUZZ_COUNT=2000 ALLOCSNAP_FUZZ_SEED=$$$$ $(PYTHON) -m unittest python.test_api_differential
	@$(MAKE) --no-print-directory programs
	cd tests && ALLOCSNAP_WALKS=10 $(PYTHON) -m unittest hooks.test_walks

.PHONY: $(addprefix fuzz-long-,$(FUZZ_NAMES))
$(addprefix fuzz-long-,$(FUZZ_NAMES)): fuzz-long-%: $(BUILD)/tests/fuzz/long_% $(SPECIMENS) $(SPECIMENS_NEW) $(SPECIMENS_OVERLOADS)
	@mkdir -p $(BUILD)/corpus/$*
	$< -max_total_time=$(FUZZ_SECONDS) -max_len=32768 -artifact_prefix=$(BUILD)/ \
		$(BUILD)/corpus/$* $(CORPUS_$*)

.PHONY: soak
soak: ## run real programs under load with the hooks, for minutes
	@tests/deps.sh soak
	@$(MAKE) --no-print-directory all
	$(PYTHON) tests/soak/run.py $(PROGRAM)

.PHONY: bench
bench: ## set up, build, and print speed and size, as ratios
	@tests/deps.sh run
	@tests/deps.sh bench
	@$(MAKE) --no-print-directory all programs $(BENCHES)
	@$(PYTHON) tests/bench/run.py $(BUILD)

.PHONY: lint
lint: ## check format, warnings of a second compiler, static analysis, scripts
	@tests/deps.sh lint
	@$(MAKE) --no-print-directory lint-format lint-python lint-types lint-shell lint-man lint-report
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/clang CC=clang CXX=clang++ lint-compile
	@$(MAKE) --no-print-directory $(addprefix lint-tidy-,$(TIDY_ROOMS)) lint-tidy-plain

.PHONY: lint-format
lint-format:
	clang-format --dry-run -Werror $(C_FILES)

.PHONY: lint-compile
lint-compile: $(LIBRARY) $(HOOKS) programs $(UNIT) $(BENCHES) $(FUZZERS)

# One run for the files of one room: they share their include path. Rooms that take
# errors from core/base are told that there always is one.
NONNULL := -include tests/lint/nonnull.h
# The file that defines what that header redefines is looked at without it.
TIDY_PLAIN := core/base/error.c
.PHONY: $(addprefix lint-tidy-,$(TIDY_ROOMS))
$(addprefix lint-tidy-,$(TIDY_ROOMS)): lint-tidy-%:
	clang-tidy --quiet $(filter-out $(TIDY_PLAIN),$(wildcard core/$*/*.c)) -- $(filter-out -M%,$(BASE)) \
		$(call includes,$*) $(if $(filter $*,$(ROOMS)),$(NONNULL))

lint-tidy-export: $(PROFILE).h

.PHONY: lint-tidy-plain
lint-tidy-plain:
	clang-tidy --quiet $(TIDY_PLAIN) -- $(filter-out -M%,$(BASE)) $(call includes,base)

.PHONY: lint-python
lint-python:
	pyflakes3 $(PYTHON_FILES)

.PHONY: lint-types
lint-types:
	mypy --cache-dir $(BUILD)/mypy

.PHONY: lint-shell
lint-shell:
	shellcheck $(SHELL_FILES)

.PHONY: format
format: ## lay out all C and C++ files as .clang-format says
	clang-format -i $(C_FILES)

.PHONY: clean
clean: ## remove build/
	rm -rf $(BUILD)
