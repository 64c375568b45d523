#include "stack_walk.h"

#include <link.h>
#include <stdbool.h>
#include <unwind.h>

#include "allocsnap_table.h"

struct walk {
    uint64_t caller;
    uint64_t *return_addresses;
    size_t limit;
    size_t stored;
    uint32_t total;
};

/* The memory that the unwinder's library was loaded into. */
static uintptr_t unwinder_start;
static uintptr_t unwinder_end;

/* A dl_iterate_phdr callback: notes the object that holds the unwinder. */
static int note_unwinder(struct dl_phdr_info *object, size_t size, void *argument)
{
    const uintptr_t *wanted = argument;
    (void)size;
    for (unsigned i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &object->dlpi_phdr[i];
        uintptr_t start = object->dlpi_addr + header->p_vaddr;
        if (header->p_type == PT_LOAD && *wanted - start < header->p_memsz) {
            unwinder_start = start;
            unwinder_end = start + header->p_memsz;
            return 1;
        }
    }
    return 0;
}

void asnap_stack_walk_init(void)
{
    uintptr_t unwinder = (uintptr_t)_Unwind_Backtrace;
    dl_iterate_phdr(note_unwinder, &unwinder);
}

static _Unwind_Reason_Code visit(struct _Unwind_Context *context, void *argument)
{
    struct walk *walk = argument;
    int interrupted = 0;
    uint64_t address = _Unwind_GetIPInfo(context, &interrupted);
    if (address == 0)
        return _URC_END_OF_STACK;
    if (walk->total == 0 && address != walk->caller)
        return _URC_NO_REASON;
    if (walk->stored < walk->limit)
        walk->return_addresses[walk->stored++] = interrupted ? address + 1 : address;
    walk->total++;
    return walk->total < ASNAP_TABLE_FRAME_LIMIT_MAX ? _URC_NO_REASON : _URC_END_OF_STACK;
}

size_t asnap_stack_walk(const void *caller, uint64_t *return_addresses, size_t limit,
                        uint32_t *total)
{
    struct walk walk = {
        .caller = (uint64_t)(uintptr_t)caller,
        .return_addresses = return_addresses,
        .limit = limit,
    };
    if (walk.caller - unwinder_start >= unwinder_end - unwinder_start)
        _Unwind_Backtrace(visit, &walk);
    if (walk.total == 0) {
        return_addresses[0] = walk.caller;
        walk.stored = 1;
        walk.total = 1;
    }
    *total = walk.total;
    return walk.stored;
}
