# The test programs: tests/programs/NAME.c or NAME.cc becomes
# build/tests/programs/NAME. PROGRAM_FLAGS_NAME adds to its flags, PROGRAM_LIBS_NAME
# to its libraries; lib*.c become shared libraries.

PROGRAM_DIR := $(BUILD)/tests/programs
PROGRAM_CFLAGS := -g -O0 -Wall -Wextra -Werror -fno-builtin -pthread -MMD -MP
PROGRAM_CXXFLAGS := $(PROGRAM_CFLAGS) -std=c++17 -fsized-deallocation

PROGRAM_FLAGS_inlined := -O2
PROGRAM_FLAGS_pools := -Icore/include
PROGRAM_FLAGS_pool_threads := -Icore/include
PROGRAM_FLAGS_libstaticcxx := -static-libstdc++ -static-libgcc
PROGRAM_LIBS_signals := -L$(PROGRAM_DIR) -lsafealloc -Wl,-rpath,'$$ORIGIN'

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

$(PROGRAM_DIR)/signals: $(PROGRAM_DIR)/libsafealloc.so

# The same source, not position-independent.
PROGRAMS += $(PROGRAM_DIR)/pools_fixed
$(PROGRAM_DIR)/pools_fixed: tests/programs/pools.c
	@mkdir -p $(@D)
	gcc $(PROGRAM_CFLAGS) $(PROGRAM_FLAGS_pools) -no-pie -fno-pie -o $@ $<

-include $(wildcard $(PROGRAM_DIR)/*.d)

.PHONY: programs
programs: $(PROGRAMS)
