/* Symbols of this very process, by address and by name. */
#include <stdlib.h>
#include <string.h>

#include "test_symbols_process.h"
#include "unit.h"

int asnap_test_number = 7;
char asnap_test_zeros[3000];
static const char constant[] = "asnap_test_constant";
static __thread int thread_local_number;

void asnap_test_function(void);

__attribute__((noinline)) void asnap_test_function(void)
{
    __asm__ volatile("");
}

static uint64_t address_of(const volatile void *object)
{
    return (uint64_t)(uintptr_t)object;
}

static void expect_at(struct asnap_mapped_symbols *symbols, uint64_t address, const char *section,
                      const char *symbol, uint64_t start)
{
    struct asnap_symbol_place place;
    bool is_found = false;
    ASNAP_ASSERT_OK(asnap_mapped_symbols_at(symbols, address, &place, &is_found));
    CU_ASSERT_FATAL(is_found);
    CU_ASSERT_STRING_EQUAL(place.section, section);
    CU_ASSERT_STRING_EQUAL(place.path, own_path());
    CU_ASSERT_PTR_NOT_NULL_FATAL(place.symbol);
    CU_ASSERT_STRING_EQUAL(place.symbol, symbol);
    CU_ASSERT_EQUAL(place.address, start);
}

ASNAP_TEST(mapped_symbols, at_addresses)
{
    struct asnap_symbolizer *symbolizer = own_symbolizer(NULL);
    struct asnap_mapped_symbols *symbols = NULL;
    ASNAP_ASSERT_OK(asnap_mapped_symbols_create(symbolizer, &symbols));
    uint64_t number = address_of(&asnap_test_number);
    uint64_t zeros = address_of(asnap_test_zeros);
    uint64_t text = address_of(constant);
    uint64_t function = (uint64_t)(uintptr_t)asnap_test_function;
    expect_at(symbols, number, ".data", "asnap_test_number", number);
    expect_at(symbols, number + 3, ".data", "asnap_test_number", number);
    expect_at(symbols, zeros + 2999, ".bss", "asnap_test_zeros", zeros);
    expect_at(symbols, text + 1, ".rodata", "constant", text);
    expect_at(symbols, function, ".text", "asnap_test_function", function);

    struct asnap_symbol_place place;
    bool is_found = true;
    /* The heap, a stack and thread-local storage are in no file. */
    void *block = malloc(10);
    const uint64_t elsewhere[] = {address_of(block), address_of(&block),
                                  address_of(&thread_local_number), 1, UINT64_MAX};
    for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
        ASNAP_ASSERT_OK(asnap_mapped_symbols_at(symbols, elsewhere[i], &place, &is_found));
        CU_ASSERT(!is_found);
    }
    free(block);
    asnap_mapped_symbols_destroy(symbols);
    asnap_symbolizer_destroy(symbolizer);
}

ASNAP_TEST(mapped_symbols, by_name)
{
    struct asnap_symbolizer *symbolizer = own_symbolizer(NULL);
    struct asnap_mapped_symbols *symbols = NULL;
    struct asnap_symbol_place places[4];
    size_t count = 99;
    ASNAP_ASSERT_OK(asnap_mapped_symbols_create(symbolizer, &symbols));
    ASNAP_ASSERT_OK(asnap_mapped_symbols_named(symbols, "asnap_test_zeros", places, 4, &count));
    CU_ASSERT_EQUAL_FATAL(count, 1);
    CU_ASSERT_EQUAL(places[0].address, address_of(asnap_test_zeros));
    CU_ASSERT_EQUAL(places[0].size, sizeof(asnap_test_zeros));
    CU_ASSERT(!places[0].is_function && !places[0].is_local);
    ASNAP_ASSERT_OK(asnap_mapped_symbols_named(symbols, "constant", places, 4, &count));
    CU_ASSERT_EQUAL_FATAL(count, 1);
    CU_ASSERT(places[0].is_local);
    ASNAP_ASSERT_OK(asnap_mapped_symbols_named(symbols, "asnap_test_function", places, 4, &count));
    CU_ASSERT_EQUAL_FATAL(count, 1);
    CU_ASSERT(places[0].is_function);
    const char *const none[] = {"asnap_test_zero", "asnap_test_zeros_", "", "thread_local_number"};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        ASNAP_ASSERT_OK(asnap_mapped_symbols_named(symbols, none[i], places, 4, &count));
        CU_ASSERT_EQUAL(count, 0);
    }
    ASNAP_ASSERT_OK(asnap_mapped_symbols_named(symbols, "asnap_test_zeros", places, 0, &count));
    CU_ASSERT_EQUAL(count, 0);
    asnap_mapped_symbols_destroy(symbols);
    asnap_symbolizer_destroy(symbolizer);
}

static struct asnap_error *look_up(void *context)
{
    struct asnap_symbolizer *symbolizer = context;
    struct asnap_mapped_symbols *symbols = NULL;
    struct asnap_symbol_place place;
    bool is_found;
    struct asnap_error *error = asnap_mapped_symbols_create(symbolizer, &symbols);
    if (error == NULL)
        error = asnap_mapped_symbols_at(symbols, address_of(&asnap_test_number), &place, &is_found);
    asnap_mapped_symbols_destroy(symbols);
    return error;
}

ASNAP_TEST(mapped_symbols, no_memory)
{
    struct asnap_symbolizer *symbolizer = own_symbolizer(NULL);
    CU_ASSERT(asnap_unit_sweep(look_up, symbolizer) >= 4);
    asnap_symbolizer_destroy(symbolizer);
}
