#include "firefox_functions.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"

static bool is_wanted(const void *context, uint32_t id)
{
    const struct asnap_firefox_functions *functions = context;
    return memcmp(&functions->functions[id], &functions->wanted, sizeof(functions->wanted)) == 0;
}

/* The number of the wanted function, for which there is room. */
static struct asnap_error *find_wanted(struct asnap_firefox_functions *functions, uint32_t *id)
{
    uint32_t hash = asnap_hash_bytes(&functions->wanted, sizeof(functions->wanted));
    *id = asnap_intern_find(&functions->index, hash, is_wanted, functions);
    if (*id != ASNAP_NONE)
        return NULL;
    struct asnap_error *error = asnap_intern_reserve(&functions->index);
    if (error != NULL)
        return error;
    *id = functions->count++;
    functions->functions[*id] = functions->wanted;
    asnap_intern_add(&functions->index, hash, *id);
    return NULL;
}

struct asnap_error *asnap_firefox_functions_init(struct asnap_firefox_functions *functions,
                                                 const struct asnap_frame_rows *rows)
{
    size_t count = rows->frame_count;
    uint32_t *source_of = asnap_intern_none(rows->strings->count); /* of each string */
    *functions = (struct asnap_firefox_functions){
        .functions = calloc(count + 1, sizeof(*functions->functions)),
        .of_frames = calloc(count + 1, sizeof(*functions->of_frames)),
        .sources = calloc(count + 1, sizeof(*functions->sources)),
    };
    struct asnap_error *error = NULL;
    if (source_of == NULL || functions->functions == NULL || functions->of_frames == NULL ||
        functions->sources == NULL)
        error = asnap_error_no_memory();
    for (size_t i = 0; error == NULL && i < count; i++) {
        const struct asnap_frame_row *row = &rows->frames[i];
        size_t size;
        asnap_strings_get(rows->strings, row->function, &size);
        uint32_t *source = &source_of[row->filename];
        if (*source == ASNAP_NONE) {
            *source = functions->source_count++;
            functions->sources[*source] = row->filename;
        }
        functions->wanted =
            (struct asnap_firefox_function){.name = size != 0 ? row->function : row->filename,
                                            .source = *source,
                                            .module = row->module};
        error = find_wanted(functions, &functions->of_frames[i]);
    }
    free(source_of);
    return error;
}

void asnap_firefox_functions_deinit(struct asnap_firefox_functions *functions)
{
    free(functions->functions);
    free(functions->of_frames);
    free(functions->sources);
    asnap_intern_deinit(&functions->index);
    *functions = (struct asnap_firefox_functions){0};
}
