#include "test_symbols_process.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "own_memory.h"
#include "unit.h"

static void add_region(struct own_regions *own, const char *line)
{
    struct asnap_region region = {0};
    char flags[5];
    int path = 0;
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*s %*s %n", &region.start,
               &region.end, flags, &region.file_offset, &path) != 4)
        return;
    region.flags = (flags[0] == 'r' ? ASNAP_REGION_READABLE : 0u) |
                   (flags[2] == 'x' ? ASNAP_REGION_EXECUTABLE : 0u);
    char *name = strndup(line + path, strcspn(line + path, "\n"));
    char program[PATH_MAX];
    ssize_t length = readlink(own_path(), program, sizeof(program) - 1);
    CU_ASSERT_FATAL(name != NULL && length > 0);
    program[length] = '\0';
    if (strcmp(name, program) == 0) {
        free(name);
        name = strdup(own_path());
    }
    region.path = name;
    if (own->count == own->capacity) {
        own->capacity = own->capacity * 2 + 64;
        own->regions = realloc(own->regions, own->capacity * sizeof(*own->regions));
        CU_ASSERT_PTR_NOT_NULL_FATAL(own->regions);
    }
    own->regions[own->count++] = region;
}

void own_regions_init(struct own_regions *own)
{
    *own = (struct own_regions){0};
    FILE *maps = fopen("/proc/self/maps", "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(maps);
    char line[PATH_MAX + 256];
    while (fgets(line, sizeof(line), maps) != NULL)
        add_region(own, line);
    fclose(maps);
    CU_ASSERT_FATAL(own->count > 0);
}

void own_regions_deinit(struct own_regions *own)
{
    for (size_t i = 0; i < own->count; i++)
        free((char *)own->regions[i].path);
    free(own->regions);
}

struct asnap_symbolizer *own_symbolizer(const char *debug_directories)
{
    struct own_regions own;
    own_regions_init(&own);
    struct asnap_symbolizer *symbolizer;
    ASNAP_ASSERT_OK(asnap_symbolizer_create(debug_directories, &symbolizer));
    ASNAP_ASSERT_OK(asnap_symbolizer_set_regions(symbolizer, &own_memory, own.regions, own.count));
    own_regions_deinit(&own);
    return symbolizer;
}

struct asnap_named_pc name_one(struct asnap_symbolizer *symbolizer, uint64_t return_address)
{
    struct asnap_named_pc named = {0};
    ASNAP_ASSERT_OK(asnap_symbolizer_name(symbolizer, &return_address, 1, NULL, &named));
    CU_ASSERT_FATAL(named.frame_count > 0);
    return named;
}

const char *own_path(void)
{
    return "/proc/self/exe";
}
