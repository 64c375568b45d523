/* Symbols of the files that are mapped, found by address and by name. A file is opened when it is
 * first asked about, and stays open. */
#include <stdlib.h>
#include <string.h>

#include "demangle.h"
#include "elf_symbols.h"
#include "error.h"
#include "naming_requests.h"
#include "symbolizer.h"

/* A file, and where it is mapped. */
struct mapped_file {
    const struct asnap_mapped *head; /* where it begins in memory */
    bool was_opened;
    struct asnap_elf *elf; /* NULL: it cannot be read */
    struct asnap_elf *debug;
    struct asnap_symbols *symbols;
    uint64_t bias; /* from link-time addresses to those in memory */
    uint64_t end;  /* in memory */
};

struct asnap_mapped_symbols {
    struct asnap_resolver *resolver;
    struct mapped_file *files; /* by address */
    size_t count;
};

struct asnap_error *asnap_mapped_symbols_create(struct asnap_symbolizer *symbolizer,
                                                struct asnap_mapped_symbols **symbols)
{
    struct asnap_mapped_symbols *made = calloc(1, sizeof(*made));
    struct asnap_resolver *resolver = asnap_symbolizer_resolver(symbolizer);
    const struct asnap_region_map *map = &resolver->regions;
    if (made != NULL)
        made->files = calloc(map->count + 1, sizeof(*made->files));
    if (made == NULL || made->files == NULL) {
        free(made);
        return asnap_error_no_memory();
    }
    made->resolver = resolver;
    for (size_t i = 0; i < map->count; i++) {
        const struct asnap_mapped *region = &map->regions[i];
        if (region->head == region && !region->is_vdso && region->file_offset == 0)
            made->files[made->count++] = (struct mapped_file){.head = region};
    }
    *symbols = made;
    return NULL;
}

void asnap_mapped_symbols_destroy(struct asnap_mapped_symbols *symbols)
{
    if (symbols == NULL)
        return;
    for (size_t i = 0; i < symbols->count; i++) {
        asnap_symbols_destroy(symbols->files[i].symbols);
        asnap_elf_close(symbols->files[i].debug);
        asnap_elf_close(symbols->files[i].elf);
    }
    free(symbols->files);
    free(symbols);
}

/* Where a file lies in memory, by its program headers. */
static struct asnap_error *place_file(struct mapped_file *file)
{
    struct asnap_load *loads;
    size_t count;
    uint64_t end = 0;
    struct asnap_error *error = asnap_elf_loads(file->elf, &loads, &count);
    if (error != NULL)
        return error;
    for (size_t i = 0; i < count; i++) {
        if (loads[i].address + loads[i].memory_size > end)
            end = loads[i].address + loads[i].memory_size;
    }
    file->bias = file->head->start - asnap_elf_lowest_page(loads, count);
    file->end = file->bias + end;
    free(loads);
    return NULL;
}

static struct asnap_error *open_file(struct asnap_mapped_symbols *symbols, struct mapped_file *file)
{
    struct asnap_resolver *resolver = symbols->resolver;
    const struct asnap_pc_place place = {.path = file->head->path,
                                         .region = file->head,
                                         .head = file->head,
                                         .build_id = file->head->build_id};
    size_t known;
    if (file->was_opened)
        return NULL;
    file->was_opened = true;
    struct asnap_error *error = asnap_resolver_known(resolver, &place, &known);
    if (error == NULL)
        error = asnap_module_open(resolver->known.modules[known].module,
                                  resolver->debug_directories, &file->elf, &file->debug);
    if (error != NULL || file->elf == NULL)
        return error;
    error = place_file(file);
    if (error == NULL)
        error = asnap_symbols_create(file->elf, file->debug, ASNAP_SYMBOLS_ALL, &file->symbols);
    return error;
}

/* The file that an address may be in: the last that begins before it. */
static struct mapped_file *find_file(const struct asnap_mapped_symbols *symbols, uint64_t address)
{
    size_t low = 0;
    size_t high = symbols->count;
    const struct asnap_mapped *region = asnap_region_map_find(&symbols->resolver->regions, address);
    if (region != NULL && region->head != NULL)
        address = region->head->start;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (symbols->files[middle].head->start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? NULL : &symbols->files[low - 1];
}

/* The name of the section that a link-time address is in, or "". */
static const char *section_at(const struct asnap_elf *elf, uint64_t address)
{
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf->elf, section)) != NULL;) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) == NULL || (header.sh_flags & SHF_ALLOC) == 0)
            continue;
        /* Thread-local zeros take no room. */
        if ((header.sh_flags & SHF_TLS) != 0 && header.sh_type == SHT_NOBITS)
            continue;
        if (address >= header.sh_addr && address - header.sh_addr < header.sh_size) {
            const char *name = elf_strptr(elf->elf, elf->section_names, header.sh_name);
            return name == NULL ? "" : name;
        }
    }
    return "";
}

/* Fills `place` with a symbol of a file; its name lives as long as the symbolizer. */
static struct asnap_error *take_symbol(const struct asnap_mapped_symbols *symbols,
                                       const struct mapped_file *file,
                                       const struct asnap_symbol *symbol,
                                       struct asnap_symbol_place *place)
{
    char *readable;
    struct asnap_error *error = asnap_demangle(symbol->name, &readable);
    if (error != NULL)
        return error;
    place->address = file->bias + symbol->address;
    place->size = symbol->size;
    place->is_function = symbol->is_function;
    place->is_local = symbol->is_local;
    error = asnap_frame_store_string(symbols->resolver->store, readable, &place->symbol);
    free(readable);
    return error;
}

struct asnap_error *asnap_mapped_symbols_at(struct asnap_mapped_symbols *symbols, uint64_t address,
                                            struct asnap_symbol_place *place, bool *is_found)
{
    struct mapped_file *file = find_file(symbols, address);
    struct asnap_symbol symbol;
    *is_found = false;
    if (file == NULL)
        return NULL;
    struct asnap_error *error = open_file(symbols, file);
    if (error != NULL || file->symbols == NULL || address >= file->end)
        return error;
    *is_found = true;
    *place = (struct asnap_symbol_place){
        .path = file->head->path,
        .section = section_at(file->elf, address - file->bias),
    };
    if (asnap_symbols_at(file->symbols, address - file->bias, &symbol))
        error = take_symbol(symbols, file, &symbol, place);
    return error;
}

/* Whether a symbol has the name that is wanted; what is mangled is compared as it reads where the
 * wanted name can only be a readable one. */
static struct asnap_error *has_name(const struct asnap_symbol *symbol, const char *name,
                                    bool *has_it)
{
    size_t length = strlen(name);
    *has_it = strncmp(symbol->name, name, length) == 0 &&
              (symbol->name[length] == '\0' || symbol->name[length] == '@');
    if (*has_it || strncmp(symbol->name, "_Z", 2) != 0 || strncmp(name, "_Z", 2) == 0)
        return NULL;
    char *readable;
    struct asnap_error *error = asnap_demangle(symbol->name, &readable);
    if (error != NULL)
        return error;
    *has_it = strcmp(readable, name) == 0;
    free(readable);
    return NULL;
}

static bool is_known(const struct asnap_symbol_place *places, size_t count, uint64_t address)
{
    for (size_t i = 0; i < count; i++) {
        if (places[i].address == address)
            return true;
    }
    return false;
}

struct asnap_error *asnap_mapped_symbols_named(struct asnap_mapped_symbols *symbols,
                                               const char *name, struct asnap_symbol_place *places,
                                               size_t limit, size_t *count)
{
    struct asnap_error *error = NULL;
    size_t found = 0;
    for (size_t i = 0; error == NULL && i < symbols->count; i++) {
        struct mapped_file *file = &symbols->files[i];
        error = open_file(symbols, file);
        size_t all =
            error == NULL && file->symbols != NULL ? asnap_symbols_count(file->symbols) : 0;
        for (size_t j = 0; error == NULL && j < all && found < limit; j++) {
            struct asnap_symbol symbol;
            bool has_it;
            asnap_symbols_get(file->symbols, j, &symbol);
            error = has_name(&symbol, name, &has_it);
            if (error != NULL || !has_it || is_known(places, found, file->bias + symbol.address))
                continue;
            struct asnap_symbol_place place = {
                .path = file->head->path,
                .section = section_at(file->elf, symbol.address),
            };
            error = take_symbol(symbols, file, &symbol, &place);
            places[found++] = place;
        }
    }
    if (error == NULL)
        *count = found;
    return error;
}
