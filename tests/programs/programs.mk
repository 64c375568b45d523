# The test programs: tests/programs/NAME.c or NAME.cc becomes
# build/tests/programs/NAME. PROGRAM_FLAGS_NAME adds to its flags, PROGRAM_LIBS_NAME
# to its libraries; lib*.c become shared libraries.

PROGRAM_DIR := $(BUILD)/tests/programs
PROGRAM_CFLAGS := -g -O0 -Wall -Wextra -Werror -fno-builtin -pthread -MMD -MP
PROGRAM_CXXFLAGS := $(PROGRAM_CFLAGS) -std=c++17 -fsized-deallocation

PROGRAM_FLAGS_by_design := -Wno-unused-result
PROGRAM_FLAGS_inlined := -O2
PROGRAM_FLAGS_late := -D_GNU_SOURCE
PROGRAM_FLAGS_heap_split := -D_GNU_SOURCE
# Its assembly calls a function.
PROGRAM_FLAGS_reach := -Wno-unused-result $(if $(filter x86_64,$(shell uname -m)),-mno-red-zone)
PROGRAM_FLAGS_walk_steps := -D_GNU_SOURCE -Wno-infinite-recursion
PROGRAM_FLAGS_watched := -D_GNU_SOURCE
PROGRAM_FLAGS_attached := -D_GNU_SOURCE
PROGRAM_FLAGS_walks := -Wno-infinite-recursion
PROGRAM_FLAGS_pools := -Icore/include
PROGRAM_FLAGS_pool_threads := -Icore/include
PROGRAM_FLAGS_misused_pool := -Icore/include
PROGRAM_FLAGS_freed := -Icore/include
PROGRAM_FLAGS_handed_on := -D_GNU_SOURCE -Icore/include -Icore/table -Wno-address
PROGRAM_FLAGS_obeyed := -Icore/include -Icore/table -Wno-address
# Nothing is bound in the handler, which takes more stack than all else.
PROGRAM_FLAGS_cancelled := -D_DEFAULT_SOURCE
PROGRAM_FLAGS_altstack := -Wl,-z,now
PROGRAM_FLAGS_hidden_header := -Wl,-z,now
PROGRAM_FLAGS_clones := -D_GNU_SOURCE
PROGRAM_FLAGS_family := -D_GNU_SOURCE
PROGRAM_FLAGS_scopes := -D_GNU_SOURCE
PROGRAM_FLAGS_linked := -D_GNU_SOURCE
PROGRAM_FLAGS_deaf := -D_GNU_SOURCE
PROGRAM_FLAGS_exchange := -D_GNU_SOURCE
PROGRAM_FLAGS_fork_anyhow := -D_GNU_SOURCE
PROGRAM_FLAGS_libnosy := -D_GNU_SOURCE
PROGRAM_FLAGS_loader_lock := -D_GNU_SOURCE
PROGRAM_FLAGS_nested_walks := -D_GNU_SOURCE
PROGRAM_FLAGS_rights := -Icore/include
PROGRAM_FLAGS_libstaticcxx := -static-libstdc++ -static-libgcc
PROGRAM_FLAGS_libbare := -nodefaultlibs -lc
# libunwind.a is not position-independent, and has functions of libgcc_eh's names.
PROGRAM_FLAGS_own_unwinder := -static-libstdc++ -static-libgcc -no-pie -fno-pie
PROGRAM_LIBS_own_unwinder := -lgcc_eh -l:libunwind.a -llzma
PROGRAM_LIBS_own_jemalloc := -l:libjemalloc.a -lstdc++ -lm
PROGRAM_FLAGS_malloc_address := -no-pie -fno-pie
PROGRAM_FLAGS_overflow := -Wno-infinite-recursion

# Programs with an allocator, or another library, of this directory underneath.
define over_allocator
PROGRAM_LIBS_$(1) := -L$(PROGRAM_DIR) -l$(2) -Wl,-rpath,'$$$$ORIGIN'
$(PROGRAM_DIR)/$(1): $(PROGRAM_DIR)/lib$(2).so
endef
$(foreach name,signals signal_storm handed_on overflow walk_steps nested_walks fork_anyhow,$(eval $(call over_allocator,$(name),safealloc)))
$(eval $(call over_allocator,dying,dying))
$(eval $(call over_allocator,errors,keepsfreed))
$(eval $(call over_allocator,headed,headed))
$(eval $(call over_allocator,fork_handlers,locky))

PROGRAM_C := $(filter-out tests/programs/lib%,$(wildcard tests/programs/*.c))
PROGRAM_CXX := $(filter-out tests/programs/lib%,$(wildcard tests/programs/*.cc))
PROGRAM_SHARED := $(wildcard tests/programs/lib*.c)
PROGRAM_SHARED_CXX := $(wildcard tests/programs/lib*.cc)

PROGRAMS := $(PROGRAM_C:tests/programs/%.c=$(PROGRAM_DIR)/%) \
	$(PROGRAM_CXX:tests/programs/%.cc=$(PROGRAM_DIR)/%) \
	$(PROGRAM_SHARED:tests/programs/%.c=$(PROGRAM_DIR)/%.so) \
	$(PROGRAM_SHARED_CXX:tests/programs/%.cc=$(PROGRAM_DIR)/%.so)

$(PROGRAM_DIR)/%.so: tests/programs/%.c
	@mkdir -p $(@D)
	$(CC) $(PROGRAM_CFLAGS) -fPIC -shared $(PROGRAM_FLAGS_$*) -o $@ $< $(PROGRAM_LIBS_$*)

$(PROGRAM_DIR)/%.so: tests/programs/%.cc
	@mkdir -p $(@D)
	$(CXX) $(PROGRAM_CXXFLAGS) -fPIC -shared $(PROGRAM_FLAGS_$*) -o $@ $< $(PROGRAM_LIBS_$*)

$(PROGRAM_DIR)/%: tests/programs/%.c
	@mkdir -p $(@D)
	$(CC) $(PROGRAM_CFLAGS) $(PROGRAM_FLAGS_$*) -o $@ $< -ldl $(PROGRAM_LIBS_$*)

$(PROGRAM_DIR)/%: tests/programs/%.cc
	@mkdir -p $(@D)
	$(CXX) $(PROGRAM_CXXFLAGS) $(PROGRAM_FLAGS_$*) -o $@ $< $(PROGRAM_LIBS_$*)

# The same source, not position-independent.
PROGRAMS += $(PROGRAM_DIR)/pools_fixed
$(PROGRAM_DIR)/pools_fixed: tests/programs/pools.c
	@mkdir -p $(@D)
	gcc $(PROGRAM_CFLAGS) $(PROGRAM_FLAGS_pools) -no-pie -fno-pie -o $@ $<

# The same source, without a table of its unwind information.
PROGRAMS += $(PROGRAM_DIR)/recursion_no_table
$(PROGRAM_DIR)/recursion_no_table: tests/programs/recursion.c
	@mkdir -p $(@D)
	gcc $(PROGRAM_CFLAGS) -Wl,--no-eh-frame-hdr -o $@ $<

# The same source, linked with the hooks by their path.
PROGRAMS += $(PROGRAM_DIR)/rights_linked
$(PROGRAM_DIR)/rights_linked: tests/programs/rights.c $(HOOKS)
	@mkdir -p $(@D)
	$(CC) $(PROGRAM_CFLAGS) $(PROGRAM_FLAGS_rights) -o $@ $< -Wl,--no-as-needed $(abspath $(HOOKS)) \
		-Wl,-rpath,$(abspath $(BUILD))

# The core library with a libdwarf that fails before the true one; the hooks are looked for
# beside it.
BAD_DWARF := $(PROGRAM_DIR)/baddwarf/$(notdir $(LIBRARY))
PROGRAMS += $(BAD_DWARF)
$(BAD_DWARF): $(CORE_OBJECTS) $(PROGRAM_DIR)/libbaddwarf.so
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -shared -o $@ $(CORE_OBJECTS) $(abspath $(PROGRAM_DIR)/libbaddwarf.so) $(CORE_LIBS)
	ln -sf $(abspath $(HOOKS)) $(@D)

# Programs with stacks of many shapes, built in many ways: tests/programs/NAME becomes
# build/tests/programs/NAME.WAY.
WALK_FLAGS_gcc-O0 := -O0
WALK_FLAGS_gcc-O1 := -O1 -fstack-protector-all -fcf-protection
WALK_FLAGS_gcc-O2 := -O2
WALK_FLAGS_gcc-O3 := -O3 -mavx2
WALK_FLAGS_gcc-Os := -Os
WALK_FLAGS_gcc-fp := -O2 -fno-omit-frame-pointer -fno-plt
WALK_FLAGS_gcc-fixed := -O2 -fno-pie -no-pie -fstack-clash-protection
WALK_FLAGS_gcc-aligned := -O2 -mpreferred-stack-boundary=6 -mstackrealign
WALK_FLAGS_gcc-pushed := -O2 -mno-accumulate-outgoing-args -mpush-args
WALK_FLAGS_gcc-gold := -O2 -fuse-ld=gold
WALK_FLAGS_gcc-lld := -O2 -fuse-ld=lld
WALK_FLAGS_gcc-mold := -O2 -fuse-ld=mold
WALK_FLAGS_gcc-split := -O2 -fsplit-stack -fuse-ld=gold
WALK_FLAGS_clang-O0 := -O0
WALK_FLAGS_clang-O1 := -O1 -mstackrealign
WALK_FLAGS_clang-O2 := -O2
WALK_FLAGS_clang-O3 := -O3 -mavx2
WALK_FLAGS_clang-lld := -O1 -fuse-ld=lld -Wl,--no-rosegment -Wl,-z,max-page-size=0x200000
WALK_FLAGS_clang-Oz := -Oz
WALK_FLAGS_clang-fp := -O2 -fno-omit-frame-pointer
WALK_WAYS := $(patsubst WALK_FLAGS_%,%,$(filter WALK_FLAGS_%,$(.VARIABLES)))
WALK_CFLAGS := -w -pthread -D_GNU_SOURCE -Wl,-z,lazy

# WAY, C compiler, C++ compiler
define walk_rules
PROGRAMS += $(addprefix $(PROGRAM_DIR)/,walks.$(1) coroutines.$(1) odd_frames.$(1) walk_steps.$(1))
$(PROGRAM_DIR)/%.$(1): tests/programs/%.cc
	@mkdir -p $$(@D)
	$(3) $(WALK_CFLAGS) $(WALK_FLAGS_$(1)) -std=c++17 -o $$@ $$<
$(PROGRAM_DIR)/%.$(1): tests/programs/%.c
	@mkdir -p $$(@D)
	$(2) $(WALK_CFLAGS) $(WALK_FLAGS_$(1)) -o $$@ $$< $$(PROGRAM_LIBS_$$*)
$(PROGRAM_DIR)/walk_steps.$(1): $(PROGRAM_DIR)/libsafealloc.so
endef
$(foreach way,$(filter gcc-%,$(WALK_WAYS)),$(eval $(call walk_rules,$(way),gcc,g++)))
$(foreach way,$(filter clang-%,$(WALK_WAYS)),$(eval $(call walk_rules,$(way),clang,clang++)))

# The ways are told to the test, and what is stale of an older list is not run.
PROGRAMS += $(PROGRAM_DIR)/walk_ways
$(PROGRAM_DIR)/walk_ways: tests/programs/programs.mk
	@mkdir -p $(@D)
	echo $(sort $(WALK_WAYS)) > $@

-include $(wildcard $(PROGRAM_DIR)/*.d)

.PHONY: programs
programs: $(PROGRAMS)
