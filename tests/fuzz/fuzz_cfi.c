/* Reads any bytes as unwind information, finds the rules of each place that an entry
 * describes, and applies them to a stack. Nothing beyond the input may be read. */
#include <stdlib.h>
#include <string.h>

#include "cfi.h"
#include "target.h"

size_t fuzz_accepted;

enum { STACK_START = 0x10000, STACK_BYTES = 0x1000, PLACES = 24 };

static bool read_word(void *context, uint64_t address, uint64_t *word)
{
    (void)context;
    if (address - STACK_START >= STACK_BYTES)
        return false;
    *word = address ^ 0x55;
    return true;
}

static bool follow(const struct asnap_fde *fde)
{
    static struct asnap_cfi cfi;
    struct asnap_registers registers = {.known = UINT64_MAX};
    struct asnap_registers caller;
    uint64_t address;
    bool any = false;
    for (unsigned i = 0; i < ASNAP_REGISTERS; i++)
        registers.values[i] = STACK_START + 64 * i;
    for (uint64_t place = 0; place < PLACES; place++)
        if (asnap_cfi_run(&cfi, fde, fde->pc_begin + place) &&
            asnap_cfi_apply(&cfi, &registers, read_word, NULL, &caller, &address))
            any = true;
    return any;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct asnap_fde fde;
    bool any = false;
    /* Of that size exactly, so that the sanitizer sees where it ends. */
    uint8_t *own = malloc(size == 0 ? 1 : size);
    if (own == NULL)
        abort();
    memcpy(own, bytes, size);
    struct asnap_bytes all = {own, own + size};
    for (size_t at = 0; at < size && at < 64; at += 4)
        any = (asnap_fde_read(own + at, all, &fde) && follow(&fde)) || any;
    asnap_fde_find(all, all, (uint64_t)(uintptr_t)own + 64, &fde);
    asnap_fde_find((struct asnap_bytes){NULL, NULL}, all, (uint64_t)(uintptr_t)own + 64, &fde);
    fuzz_accepted += any;
    free(own);
    return 0;
}
