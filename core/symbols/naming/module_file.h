/* What a module keeps of its file, for the files that implement module.h. */
#ifndef ASNAP_SYMBOLS_MODULE_FILE_H
#define ASNAP_SYMBOLS_MODULE_FILE_H

#include <sys/stat.h>

#include "module.h"
#include "number_map.h"

struct asnap_module {
    struct asnap_frame_store *store;
    const char *path; /* as given */
    const char *file; /* without a mark that it is deleted */
    bool is_deleted;  /* the file that is mapped has lost this name */
    bool is_unloaded;
    char *image; /* contents that are in no file */
    size_t image_size;
    bool was_seen; /* `identity` and what follows it was read */
    struct stat identity;
    struct asnap_build_id build_id; /* of the contents in memory; size 0: not known */
    struct asnap_other_files *others;
    bool is_elsewhere; /* the file at `file` is missing or another build */
    bool asks_others;  /* for its debug file */
    struct asnap_load *loads;
    size_t load_count;
    struct asnap_number_map names; /* link-time address -> struct asnap_named_pc */
    const struct asnap_named_pc *unnamed;
    struct asnap_error *problem;
};

/* Opens the file that the module is of, or its like of the same build among the other files. Fails
 * where there is none, and says why. */
struct asnap_error *asnap_module_open_file(struct asnap_module *module, struct asnap_elf **elf);

/* Whether the file is the one that was seen last. */
bool asnap_module_is_same(const struct asnap_module *module, const struct stat *now);

/* Whether `elf` is the file at the module's path. */
bool asnap_module_is_own(const struct asnap_module *module, const struct asnap_elf *elf);

#endif
