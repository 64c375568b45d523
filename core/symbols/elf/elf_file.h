/* One ELF file or image, read through libelf (ELF gABI, chapters 4 and 5). */
#ifndef ASNAP_SYMBOLS_ELF_FILE_H
#define ASNAP_SYMBOLS_ELF_FILE_H

#include <gelf.h>

#include "allocsnap.h"
#include "build_id.h"

/* A piece of the file that is loaded (PT_LOAD). */
struct asnap_load {
    uint64_t offset; /* in the file */
    uint64_t size;   /* in the file */
    uint64_t address;
    uint64_t memory_size;
    bool executable;
};

struct asnap_elf {
    Elf *elf;
    int fd; /* -1 for an image in memory */
    char *path;
    uint64_t file_bytes;  /* of the file or image */
    size_t section_names; /* the section with the names of the others; 0: there are none */
};

/* Opens the ELF file at `path`. IO where it cannot be read, DAMAGED where it is
 * no ELF program or library. */
struct asnap_error *asnap_elf_open(const char *path, struct asnap_elf **elf);

/* The same of a file that may be missing: `elf` becomes NULL then. `may_be_object`: it need not
 * be a program or library. */
struct asnap_error *asnap_elf_open_found(const char *path, bool may_be_object,
                                         struct asnap_elf **elf);

/* Opens the file that is open as `fd`, which it takes over, and need not be a program or
 * library; `path` is for messages. */
struct asnap_error *asnap_elf_open_object(int fd, const char *path, struct asnap_elf **elf);

/* Opens an image in memory, which stays the caller's and must outlive `elf`;
 * `name` is for messages. */
struct asnap_error *asnap_elf_open_image(char *image, size_t size, const char *name,
                                         struct asnap_elf **elf);
void asnap_elf_close(struct asnap_elf *elf);

/* The loaded pieces, in the order of the file; free() them. */
struct asnap_error *asnap_elf_loads(const struct asnap_elf *elf, struct asnap_load **loads,
                                    size_t *count);

/* The build ID (NT_GNU_BUILD_ID), from the notes in sections, else in segments. */
void asnap_elf_build_id(const struct asnap_elf *elf, struct asnap_build_id *id);

/* The address of the first page that loaded pieces take; 0 where there are none. */
uint64_t asnap_elf_lowest_page(const struct asnap_load *loads, size_t count);

/* What the first bytes of a file tell. All zero: nothing. */
struct asnap_elf_head {
    struct asnap_build_id build_id;
    struct asnap_load *loads;
    size_t load_count;
};

/* Reads a file's first `size` bytes, which it changes. Fails with NO_MEMORY only: of what is no
 * file of the kind nothing is told. */
struct asnap_error *asnap_elf_head_read(char *bytes, size_t size, struct asnap_elf_head *head);
void asnap_elf_head_deinit(struct asnap_elf_head *head);

/* Whether the file has this build ID. */
bool asnap_elf_is_build(const struct asnap_elf *elf, const struct asnap_build_id *id);

/* Whether the file has no code, but was made to be read beside the one that has it. */
bool asnap_elf_is_debug_file(const struct asnap_elf *elf);

bool asnap_build_id_equal(const struct asnap_build_id *left, const struct asnap_build_id *right);

/* The section of this name that has contents in this file, or NULL. */
Elf_Scn *asnap_elf_section(const struct asnap_elf *elf, const char *name);

/* The contents of a debug section, uncompressed. */
struct asnap_contents {
    const unsigned char *bytes; /* live as long as the asnap_elf */
    size_t size;                /* 0 where there is no such section */
    size_t address_size;        /* of the file's class: 4 or 8 */
    bool big_endian;
};

/* Reads a debug section; without contents where it is NULL or cannot be read. */
void asnap_elf_section_contents(const struct asnap_elf *elf, Elf_Scn *section,
                                struct asnap_contents *contents);

/* Reads the debug section of this name (".debug_line"). */
void asnap_elf_debug_contents(const struct asnap_elf *elf, const char *name,
                              struct asnap_contents *contents);

/* Whether a debug section is packed in a way that cannot be unpacked here. */
bool asnap_elf_is_packed_otherwise(const struct asnap_elf *elf, const char *name);

/* The name and checksum in .gnu_debuglink; the name lives as long as `elf`.
 * false: there is none, or it is no plain file name. */
bool asnap_elf_debuglink(const struct asnap_elf *elf, const char **name, uint32_t *checksum);

/* The path and build ID in .gnu_debugaltlink (as dwz writes it), or the path and checksum
 * in .debug_sup (DWARF 5, section 7.3.6); the path lives as long as `elf`. false: there is
 * none. */
bool asnap_elf_supplement_link(const struct asnap_elf *elf, const char **path,
                               struct asnap_build_id *id);

/* Whether the .debug_sup of a supplementary file has this checksum. */
bool asnap_elf_is_supplement(const struct asnap_elf *elf, const struct asnap_build_id *id);

#endif
