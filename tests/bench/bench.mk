# What the benches run: tests/bench/bench_NAME.c measures by itself, the other programs and
# libraries are run by a bench_NAME.py.

BENCH_DIR := $(BUILD)/tests/bench

# These measure the core's objects, hidden functions and all.
CORE_BENCHES := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/bench_*.c))

$(CORE_BENCHES): $(BUILD)/%: %.c $(CORE_OBJECTS)
	@mkdir -p $(@D)
	$(CC) $(BASE) $(CFLAGS) $(LDFLAGS) $(INCLUDES_unit) -o $@ $< $(CORE_OBJECTS) $(CORE_LIBS)

# These are traced. A walk along their frame pointers finds every frame.
TRACED_BENCHES := $(addprefix $(BENCH_DIR)/,churn varying handing_on many_stacks forks heap_shapes)
FRAME_POINTERS := -fno-omit-frame-pointer

$(TRACED_BENCHES): $(BENCH_DIR)/%: tests/bench/%.c
	@mkdir -p $(@D)
	$(CC) $(BASE) -O2 -g $(FRAME_POINTERS) -fno-optimize-sibling-calls -pthread $(LDFLAGS) -o $@ $<

# The hooks with another walk, to measure theirs against: the frame pointers', and with it
# either the hooks' own tree of stacks or a cache of whole stacks before it.
REFERENCE_TREE := $(BENCH_DIR)/libreference_tree.so
REFERENCE_CACHE := $(BENCH_DIR)/libreference_cache.so
REFERENCE_OBJECTS := $(patsubst %.c,$(BUILD)/frame_pointers/%.o,tests/bench/frame_pointer_walk.c \
	$(filter-out $(addprefix core/hooks/walk/,walk.c walk_fully.c walk_node.c walk_shortly.c),$(wildcard core/hooks/*/*.c)))
REFERENCE_TREE_OBJECTS := $(BUILD)/frame_pointers/tests/bench/stack_tree.o
REFERENCE_CACHE_OBJECTS := $(BUILD)/frame_pointers/tests/bench/stack_cache.o

$(BUILD)/frame_pointers/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(BASE) $(CFLAGS) $(FRAME_POINTERS) $(INCLUDES_hooks) $(HOOK_FLAGS) -c $< -o $@

$(REFERENCE_TREE): $(REFERENCE_TREE_OBJECTS)
$(REFERENCE_CACHE): $(REFERENCE_CACHE_OBJECTS)
$(REFERENCE_TREE) $(REFERENCE_CACHE): $(REFERENCE_OBJECTS) core/hooks/hooks.map
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(HOOK_LINK_FLAGS) $(LDFLAGS) -shared -Wl,-z,defs -Wl,-z,nodelete \
		-Wl,--version-script=core/hooks/hooks.map -o $@ $(filter %.o,$^) -lgcc_s

BENCHES := $(CORE_BENCHES) $(TRACED_BENCHES) $(REFERENCE_TREE) $(REFERENCE_CACHE)

-include $(CORE_BENCHES:=.d) $(TRACED_BENCHES:=.d) \
	$(REFERENCE_OBJECTS:.o=.d) $(REFERENCE_TREE_OBJECTS:.o=.d) \
	$(REFERENCE_CACHE_OBJECTS:.o=.d)
