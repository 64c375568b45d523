#include "relocations.h"

#include <elf.h>
#include <link.h>
#include <stddef.h>

/* More is not believed: the file may be damaged. */
enum { NAME_BYTES = 64 };
static const uint64_t table_bytes_max = UINT64_C(1) << 30;

#if defined(__x86_64__)
enum { WORD = R_X86_64_64, GLOBAL = R_X86_64_GLOB_DAT, JUMP = R_X86_64_JUMP_SLOT };
#elif defined(__aarch64__)
enum { WORD = R_AARCH64_ABS64, GLOBAL = R_AARCH64_GLOB_DAT, JUMP = R_AARCH64_JUMP_SLOT };
#endif

/* Up to its end, or cut off. */
static bool read_name(struct asnap_known_pages *known, uint64_t address, char name[NAME_BYTES])
{
    for (size_t i = 0; i < NAME_BYTES - 1; i++)
        if (!asnap_readable_copy(known, address + i, &name[i], 1))
            return false;
        else if (name[i] == '\0')
            return true;
    name[NAME_BYTES - 1] = '\0';
    return true;
}

static bool each_of(struct asnap_known_pages *known, const struct asnap_library *library,
                    uint64_t table, uint64_t bytes, asnap_relocation_wanted *wanted,
                    asnap_relocation_seen *seen, void *context)
{
    ElfW(Rela) one;
    ElfW(Sym) symbol;
    char name[NAME_BYTES];
    uint64_t value;
    if (table == 0 || bytes > table_bytes_max)
        return true;
    for (uint64_t at = 0; bytes - at >= sizeof(one); at += sizeof(one)) {
        if (!asnap_readable_copy(known, table + at, &one, sizeof(one)))
            return true;
        uint64_t kind = ELF64_R_TYPE(one.r_info);
        uint64_t place = library->bias + one.r_offset;
        if ((kind != JUMP && kind != GLOBAL && (kind != WORD || one.r_addend != 0)) ||
            place % sizeof(value) != 0 ||
            !asnap_readable_copy(known, place, &value, sizeof(value)) || !wanted(context, value) ||
            !asnap_readable_copy(known, library->symbols + ELF64_R_SYM(one.r_info) * sizeof(symbol),
                                 &symbol, sizeof(symbol)) ||
            !read_name(known, library->strings + symbol.st_name, name))
            continue;
        if (!seen(context, place, value, name))
            return false;
    }
    return true;
}

bool asnap_relocations_each(struct asnap_known_pages *known, const struct asnap_library *library,
                            asnap_relocation_wanted *wanted, asnap_relocation_seen *seen,
                            void *context)
{
    if (library->symbols == 0 || library->strings == 0)
        return true;
    return each_of(known, library, library->relocations, library->relocation_bytes, wanted, seen,
                   context) &&
           each_of(known, library, library->jumps, library->jump_bytes, wanted, seen, context);
}
