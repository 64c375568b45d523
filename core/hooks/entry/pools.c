/* What a program tells of its own pools (allocsnap_hooks.h). */
#include "allocsnap_hooks.h"

#include <string.h>

#include "gate.h"
#include "interpose.h"

/* The place of a domain among the root's, or ASNAP_TABLE_NONE. Places are never taken
 * back, so those up to the count can be read without a lock. */
static uint32_t find_domain(unsigned int domain)
{
    uint32_t count = __atomic_load_n(&allocsnap_root.domain_count, __ATOMIC_ACQUIRE);
    for (uint32_t place = 0; place < count; place++)
        if (allocsnap_root.domains[place] == domain)
            return place;
    return ASNAP_TABLE_NONE;
}

/* The same, made where it is new; ASNAP_TABLE_NONE where there are too many. */
static uint32_t add_domain(unsigned int domain)
{
    uint32_t place = find_domain(domain);
    if (place != ASNAP_TABLE_NONE || !asnap_gate_enter())
        return place;
    asnap_root_lock();
    place = find_domain(domain);
    if (place == ASNAP_TABLE_NONE && allocsnap_root.domain_count < ASNAP_TABLE_DOMAINS) {
        place = allocsnap_root.domain_count;
        allocsnap_root.domains[place] = domain;
        __atomic_store_n(&allocsnap_root.domain_count, place + 1, __ATOMIC_RELEASE);
    }
    asnap_root_unlock();
    asnap_gate_leave();
    return place;
}

/* The key of a record, 0 where there can be none. */
static uint64_t key_in(uint32_t place, uintptr_t address)
{
    if (place == ASNAP_TABLE_NONE || address == 0 || address >> ASNAP_TABLE_ADDRESS_BITS != 0)
        return 0;
    return address | (uint64_t)place << ASNAP_TABLE_ADDRESS_BITS;
}

ASNAP_EXPORT int allocsnap_hooks_track(unsigned int domain, uintptr_t address, size_t size)
{
    uint32_t mode = asnap_control_mode();
    if (mode == 0)
        return ALLOCSNAP_NOT_TRACING;
    uint64_t key = key_in(add_domain(domain), address);
    if (key == 0)
        asnap_gate_refuse();
    return key != 0 && asnap_trace_track(key, size, &ASNAP_CALLER, mode) ? 0 : ALLOCSNAP_NO_MEMORY;
}

ASNAP_EXPORT int allocsnap_hooks_untrack(unsigned int domain, uintptr_t address)
{
    uint32_t mode = asnap_control_mode();
    if (mode == 0)
        return ALLOCSNAP_NOT_TRACING;
    uint64_t key = key_in(find_domain(domain), address);
    if (key != 0)
        asnap_trace_untrack_by(key, &ASNAP_CALLER, mode);
    return 0;
}

ASNAP_EXPORT int allocsnap_hooks_name_domain(unsigned int domain, const char *name)
{
    asnap_control_mode();
    uint32_t place = add_domain(domain);
    if (place == ASNAP_TABLE_NONE || !asnap_gate_enter())
        return ALLOCSNAP_NO_MEMORY;
    char *kept = allocsnap_root.domain_names[place];
    asnap_root_lock();
    if (kept[0] == '\0' && name != NULL && name[0] != '\0') {
        size_t length = strnlen(name, ASNAP_TABLE_DOMAIN_NAME_BYTES - 1);
        memcpy(kept + 1, name + 1, length - 1);
        __atomic_store_n(&kept[0], name[0], __ATOMIC_RELEASE);
    }
    asnap_root_unlock();
    asnap_gate_leave();
    return 0;
}
