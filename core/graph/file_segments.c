#include "file_segments.h"

#include "error.h"
#include "loaded_files.h"

#define PAGE ((uint64_t)4096)

/* Claims the writable segments of a file. */
static struct asnap_error *claim_segments(const struct asnap_loaded_file *file,
                                          struct asnap_claims *claims)
{
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < file->count; i++) {
        const Elf64_Phdr *header = &file->headers[i];
        if (header->p_type != PT_LOAD || (header->p_flags & PF_W) == 0 ||
            header->p_memsz >= (uint64_t)1 << 47)
            continue;
        uint64_t begin = file->bias + header->p_vaddr;
        begin -= begin % PAGE;
        uint64_t end = file->bias + header->p_vaddr + header->p_memsz;
        end += (PAGE - end % PAGE) % PAGE;
        error = asnap_claims_add(claims, begin, end, ASNAP_CLAIM_FILE, 0);
    }
    return error;
}

struct asnap_error *asnap_file_segments_claim(const struct asnap_graph_facts *facts,
                                              struct asnap_claims *claims)
{
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < facts->region_count; i++) {
        struct asnap_loaded_file file;
        bool found;
        error = asnap_loaded_file_read(facts, i, &file, &found);
        if (error == NULL && found)
            error = claim_segments(&file, claims);
    }
    return error;
}
