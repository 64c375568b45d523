# allocsnap: `make help` lists the targets.

VERSION := 0.1.0

PREFIX ?= /usr/local
DESTDIR ?=
CC ?= gcc
CXX ?= g++
CLANG ?= clang
PYTHON ?= /usr/bin/python3
CFLAGS ?= -O2 -g
BUILD ?= build

# Warnings end the build.
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Werror
BASE := -std=gnu11 -D_GNU_SOURCE -fPIC -fvisibility=hidden $(WARNINGS) -MMD -MP \
	-DASNAP_VERSION_STRING='"$(VERSION)"'

# What each room of the core may include is what its include path holds.
ROOMS := model collect symbols render
INCLUDES_model := -Icore/include -Icore/model
INCLUDES_collect := -Icore/include -Icore/model -Icore/collect -Icore/table
INCLUDES_symbols := -Icore/include -Icore/model -Icore/collect -Icore/symbols
INCLUDES_render := -Icore/include -Icore/model -Icore/render
INCLUDES_hooks := -Icore/table -Icore/hooks
INCLUDES_unit := -Icore/include -Icore/model -Icore/collect -Icore/symbols -Icore/render \
	-Icore/table -Itests/unit

CORE_LIBS := -ldwarf -lelf -lz -lstdc++
HOOK_FLAGS := -fexceptions -ftls-model=initial-exec -fno-builtin -fno-optimize-sibling-calls

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard $(1)/*.c))
CORE_OBJECTS := $(foreach room,$(ROOMS),$(call objects,core/$(room)))
HOOK_OBJECTS := $(call objects,core/hooks)
UNIT_OBJECTS := $(call objects,tests/unit)

LIBRARY := $(BUILD)/liballocsnap.so
HOOKS := $(BUILD)/liballocsnap-hooks.so
UNIT := $(BUILD)/tests/unit

# Functions whose failure the unit tests can force.
WRAPPED := malloc calloc realloc reallocarray strdup strndup vasprintf asprintf open_memstream
WRAP_FLAGS := $(foreach function,$(WRAPPED),-Wl,--wrap=$(function))

include tests/programs/programs.mk

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: all
all: $(LIBRARY) $(HOOKS) ## build both libraries into build/

define room_rule
$(BUILD)/obj/core/$(1)/%.o: core/$(1)/%.c
	@mkdir -p $$(@D)
	$$(CC) $$(BASE) $$(CFLAGS) $$(INCLUDES_$(1)) $(2) -c $$< -o $$@
endef
$(foreach room,$(ROOMS),$(eval $(call room_rule,$(room))))
$(eval $(call room_rule,hooks,$(HOOK_FLAGS)))

$(BUILD)/obj/tests/unit/%.o: tests/unit/%.c
	@mkdir -p $(@D)
	$(CC) $(BASE) $(CFLAGS) $(INCLUDES_unit) -c $< -o $@

$(LIBRARY): $(CORE_OBJECTS)
	$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,liballocsnap.so.0 -Wl,-z,defs -Wl,--exclude-libs,ALL -o $@ $^ $(CORE_LIBS)
	ln -sf liballocsnap.so $(BUILD)/liballocsnap.so.0

$(HOOKS): $(HOOK_OBJECTS) core/hooks/hooks.map
	$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,liballocsnap-hooks.so -Wl,-z,defs -Wl,-z,nodelete \
		-Wl,--version-script=core/hooks/hooks.map -o $@ $(HOOK_OBJECTS) -lgcc_s

$(UNIT): $(CORE_OBJECTS) $(UNIT_OBJECTS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) $(WRAP_FLAGS) -o $@ $^ -lcunit $(CORE_LIBS)

-include $(CORE_OBJECTS:.o=.d) $(HOOK_OBJECTS:.o=.d) $(UNIT_OBJECTS:.o=.d)

.PHONY: deps
deps: ## install what is missing (Debian packages), and say what
	@tests/deps.sh

.PHONY: test
test: deps ## set up, build and run every test
	@$(MAKE) --no-print-directory check

.PHONY: check
check: all programs $(UNIT)
	$(UNIT)
	$(PYTHON) -m unittest discover -s tests -p 'test_*.py' -v

.PHONY: clean
clean: ## remove build/
	rm -rf $(BUILD)
