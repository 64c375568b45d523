# The fuzzers, and the small libraries that the one of debug files starts from.

# What is fuzzed is in these rooms.
FUZZ_OBJECTS := $(CORE_OBJECTS) $(UNWIND_OBJECTS) \
	$(addprefix $(BUILD)/obj/tests/unit/,dump_repair.o made_heap.o python_image.o)
FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
# With the driver of this tree, and with clang's.
FUZZERS := $(addprefix $(BUILD)/tests/fuzz/fuzz_,$(FUZZ_NAMES))
LONG_FUZZERS := $(addprefix $(BUILD)/tests/fuzz/long_,$(FUZZ_NAMES))
FUZZ_SECONDS ?= 300

# One for each way of writing debug information: tests/fuzz/specimen.c, by both compilers,
# specimen_new.cc by a Clang that notes types beside calls, and specimen_overloads.cc by gcc.
SPECIMEN_DIR := $(BUILD)/tests/fuzz/specimens
SPECIMENS := $(addprefix $(SPECIMEN_DIR)/,gcc_2 gcc_4 gcc_5 gcc_0 gcc_compressed gcc_sections gcc_lines \
	clang_4 clang_5)
SPECIMENS_NEW := $(addprefix $(SPECIMEN_DIR)/,new_4 new_5)
SPECIMENS_OVERLOADS := $(addprefix $(SPECIMEN_DIR)/,overloads_4 overloads_5)
FLAGS_gcc_2 := -O2 -g -gdwarf-2 -gstrict-dwarf
FLAGS_gcc_4 := -O2 -g -gdwarf-4
FLAGS_gcc_5 := -O2 -g -gdwarf-5
FLAGS_gcc_0 := -O0 -g -gdwarf-5
FLAGS_gcc_compressed := -O2 -g -gdwarf-5 -gz=zlib
FLAGS_gcc_sections := -O2 -g -gdwarf-5 -ffunction-sections -fdebug-types-section
FLAGS_gcc_lines := -O2 -g1 -gdwarf-4
FLAGS_clang_4 := -O2 -g -gdwarf-4
FLAGS_clang_5 := -O2 -g -gdwarf-5

$(SPECIMENS): $(SPECIMEN_DIR)/%: tests/fuzz/specimen.c
	@mkdir -p $(@D)
	$(firstword $(subst _, ,$*)) $(FLAGS_$*) -fPIC -shared -nostdlib -fno-asynchronous-unwind-tables \
		-Wl,-z,noseparate-code -o $@ $<

$(SPECIMENS_NEW): $(SPECIMEN_DIR)/new_%: tests/fuzz/specimen_new.cc
	@mkdir -p $(@D)
	clang++-22 -O2 -g -gdwarf-$* -fPIC -shared -nostdlib -fno-asynchronous-unwind-tables \
		-Wl,-z,noseparate-code -o $@ $<

$(SPECIMENS_OVERLOADS): $(SPECIMEN_DIR)/overloads_%: tests/fuzz/specimen_overloads.cc
	@mkdir -p $(@D)
	g++ -O2 -g -gdwarf-$* -fPIC -shared -nostdlib -fno-asynchronous-unwind-tables \
		-Wl,-z,noseparate-code -o $@ $<

# What the long runs start from.
CORPUS_load := tests/fuzz/corpus/load
CORPUS_heaps := tests/fuzz/corpus/heaps
CORPUS_cfi := tests/fuzz/corpus/cfi
CORPUS_cpython := tests/fuzz/corpus/cpython
CORPUS_graph := tests/fuzz/corpus/graph
CORPUS_suppressions := tests/fuzz/corpus/suppressions
CORPUS_symbols := $(SPECIMEN_DIR)

$(BUILD)/obj/tests/fuzz/%.o: tests/fuzz/%.c
	@mkdir -p $(@D)
	$(CC) $(BASE) $(CFLAGS) $(INCLUDES_unit) -c $< -o $@

$(FUZZERS): $(BUILD)/tests/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(BUILD)/obj/tests/fuzz/driver.o $(FUZZ_OBJECTS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(CORE_LIBS)

$(LONG_FUZZERS): $(BUILD)/tests/fuzz/long_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(FUZZ_OBJECTS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(CORE_LIBS)
