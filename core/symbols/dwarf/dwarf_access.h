/* What is wanted of DWARF, without libdwarf's types: units, entries, line rows.
 *
 * Rules are cited from the DWARF 5 standard. Everything read is untrusted: an
 * error of code DAMAGED says what is wrong, and the caller goes on without it.
 */
#ifndef ASNAP_SYMBOLS_DWARF_ACCESS_H
#define ASNAP_SYMBOLS_DWARF_ACCESS_H

#include "elf_file.h"
#include "line_program.h"

/* The debug information of one file. */
struct asnap_dwarf;

/* Opens it in a file and its supplementary one (NULL: there is none), which stay
 * open as long as `dwarf`; `dwarf` becomes NULL where the file has no debug
 * information. */
struct asnap_error *asnap_dwarf_open(const struct asnap_elf *elf,
                                     const struct asnap_elf *supplement,
                                     struct asnap_dwarf **dwarf);
void asnap_dwarf_close(struct asnap_dwarf *dwarf);

/* That of the supplementary file, whose offsets are its own; NULL: there is none. */
struct asnap_dwarf *asnap_dwarf_supplement(struct asnap_dwarf *dwarf);

/* The path of the file. */
const char *asnap_dwarf_path(const struct asnap_dwarf *dwarf);

/* Counts steps of work that the file has asked for. DAMAGED once they are out of proportion to its
 * size and to the addresses that are looked for in it: debug information may refer to the
 * same lists and tables again and again. */
struct asnap_error *asnap_dwarf_work(struct asnap_dwarf *dwarf, uint64_t steps);

/* Lets it take more steps, for so many addresses. */
void asnap_dwarf_allow(struct asnap_dwarf *dwarf, size_t addresses);

/* The frames that each address may have, and those that all addresses of a file may have beside:
 * a few bytes can say that a hundred calls were inlined everywhere. */
#define ASNAP_FRAMES_OF_EACH ((size_t)16)
#define ASNAP_FRAMES_SPARE ((size_t)1 << 18)

/* How many frames one address may have: `most` of a few addresses, and fewer of all. */
size_t asnap_dwarf_frames_allowed(const struct asnap_dwarf *dwarf, size_t most);
void asnap_dwarf_frames_made(struct asnap_dwarf *dwarf, size_t count);

/* ---- units ---- */

/* The compilation unit after the last one asked for (section 7.5.1): the offset
 * of its first entry; 0 after the last one. */
struct asnap_error *asnap_dwarf_next_unit(struct asnap_dwarf *dwarf, uint64_t *entry_offset);

/* ---- entries ---- */

enum asnap_entry_kind {
    ASNAP_ENTRY_OTHER,
    ASNAP_ENTRY_UNIT,
    ASNAP_ENTRY_FUNCTION,  /* DW_TAG_subprogram */
    ASNAP_ENTRY_INLINED,   /* DW_TAG_inlined_subroutine */
    ASNAP_ENTRY_BLOCK,     /* a scope within a function */
    ASNAP_ENTRY_NAMESPACE, /* may hold functions */
    ASNAP_ENTRY_CLASS,     /* of C++, or a structure or union: likewise */
    ASNAP_ENTRY_CALL,      /* DW_TAG_call_site, and what it was before DWARF 5 */
    ASNAP_ENTRY_TYPE,      /* another type with a name of its own: a number, an enumeration */
    ASNAP_ENTRY_ALIAS,     /* DW_TAG_typedef */
    ASNAP_ENTRY_POINTER,   /* DW_TAG_pointer_type */
    ASNAP_ENTRY_REFERENCE, /* DW_TAG_reference_type */
    ASNAP_ENTRY_RVALUE_REFERENCE,
    ASNAP_ENTRY_CONST, /* DW_TAG_const_type */
    ASNAP_ENTRY_VOLATILE,
    ASNAP_ENTRY_MODIFIED,       /* another type with the name of what it is of: atomic, restrict */
    ASNAP_ENTRY_ARRAY,          /* likewise */
    ASNAP_ENTRY_FUNCTION_TYPE,  /* DW_TAG_subroutine_type */
    ASNAP_ENTRY_PARAMETER,      /* DW_TAG_formal_parameter */
    ASNAP_ENTRY_PARAMETER_PACK, /* has the parameters that a pack stands for */
    ASNAP_ENTRY_ELLIPSIS,       /* DW_TAG_unspecified_parameters */
};

/* What may hold functions and is no function. */
static inline bool asnap_entry_is_space(enum asnap_entry_kind kind)
{
    return kind == ASNAP_ENTRY_NAMESPACE || kind == ASNAP_ENTRY_CLASS;
}

/* Set in the offset of an entry of the supplementary file. */
#define ASNAP_ENTRY_SUPPLEMENT (UINT64_C(1) << 63)

/* A debugging information entry. */
struct asnap_entry {
    void *handle; /* NULL: there is none */
    uint64_t offset;
    enum asnap_entry_kind kind;
};

/* The entry at an offset in .debug_info. Only its name may be asked for where it is
 * in the supplementary file. */
struct asnap_error *asnap_entry_at(struct asnap_dwarf *dwarf, uint64_t offset,
                                   struct asnap_entry *entry);

/* The first child, or the next sibling; its handle is NULL where there is none.
 * An entry that does not lie behind the one asked about is damage. */
struct asnap_error *asnap_entry_child(struct asnap_dwarf *dwarf, const struct asnap_entry *entry,
                                      struct asnap_entry *child);
struct asnap_error *asnap_entry_sibling(struct asnap_dwarf *dwarf, const struct asnap_entry *entry,
                                        struct asnap_entry *sibling);
void asnap_entry_release(struct asnap_dwarf *dwarf, struct asnap_entry *entry);

/* Whether a unit's first entry says that its language is C++. */
bool asnap_entry_is_cplusplus(struct asnap_dwarf *dwarf, const struct asnap_entry *unit);

/* What an entry says of its name. Strings live as long as `dwarf`. */
struct asnap_entry_name {
    const char *name;         /* DW_AT_name, or NULL */
    const char *linkage_name; /* DW_AT_linkage_name (or MIPS_linkage_name), or NULL */
    bool refers;              /* whether there is an `origin` */
    uint64_t origin;          /* DW_AT_abstract_origin, else DW_AT_specification */
};
void asnap_entry_name(struct asnap_dwarf *dwarf, const struct asnap_entry *entry,
                      struct asnap_entry_name *name);

/* The offset of the entry that an attribute (DW_AT_...) of another leads to; false: it has no such
 * attribute, or leads out of reach. */
bool asnap_entry_reference(struct asnap_dwarf *dwarf, const struct asnap_entry *entry,
                           uint16_t name, uint64_t *offset);

/* What an entry says of where and how it is declared. */
struct asnap_declaration {
    uint32_t line;      /* DW_AT_decl_line; 0: unknown */
    bool is_artificial; /* DW_AT_artificial: the compiler has made it */
    bool is_external;   /* DW_AT_external: seen in other files too */
    bool is_namespace;  /* DW_TAG_namespace */
    bool is_class;      /* DW_TAG_class_type, which a structure is not */
    bool is_of_lvalue;  /* DW_AT_reference: a member function with "&" behind it */
    bool is_of_rvalue;  /* DW_AT_rvalue_reference: with "&&" */
};
void asnap_entry_declaration(struct asnap_dwarf *dwarf, const struct asnap_entry *entry,
                             struct asnap_declaration *declaration);

/* The offset of the first entry of the unit that an entry is in; 0: unknown. */
uint64_t asnap_entry_unit(struct asnap_dwarf *dwarf, const struct asnap_entry *entry);

/* Where an inlined function was called (section 3.3.8.2); 0: unknown. */
void asnap_entry_call_site(struct asnap_dwarf *dwarf, const struct asnap_entry *entry,
                           uint64_t *file, uint32_t *line);

/* ---- lines ---- */

/* The line table of a unit, with what its paths are relative to. */
struct asnap_line_rows {
    struct asnap_line_program program;
    const char *compilation_directory; /* or NULL; lives as long as the asnap_dwarf */
};

/* Reads the line table that a unit's first entry refers to; without one there are no rows.
 * It must not outlive `dwarf`. */
struct asnap_error *asnap_line_rows_read(struct asnap_dwarf *dwarf, const struct asnap_entry *unit,
                                         struct asnap_line_rows *rows);

#endif
