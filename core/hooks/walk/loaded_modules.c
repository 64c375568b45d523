#include "loaded_modules.h"

#include <link.h>
#include <string.h>
#include <sys/auxv.h>

#include "elf_image.h"
#include "kernel.h"
#include "libc.h"
#include "linker.h"
#include "lock.h"
#include "memory_map.h"
#include "module_list.h"
#include "pages.h"
#include "readable.h"
#include "unwind_section.h"

enum { MODULES_MAX = 1024 };

static struct {
    uint32_t lock;
    uint32_t count;
    uint32_t forgotten; /* 1: those that are listed may be there no more */
    struct asnap_loaded_module list[MODULES_MAX];
    uint64_t linker_start;
    uint64_t linker_end;
} modules;

/* The path where the kernel does not tell it: as the linker knows it. */
static void fall_back_on_linker(const struct asnap_linker_object *object,
                                struct asnap_mapped_file *file)
{
    const char *name = object->link_map->l_name;
    size_t length = strnlen(name, sizeof(file->path) - 1);
    memcpy(file->path, name, length);
    if (length == 0) {
        long got = asnap_kernel_readlink("/proc/self/exe", file->path, sizeof(file->path) - 1);
        length = got < 0 ? 0 : (size_t)got;
    }
    file->path[length] = '\0';
}

/* The same as asnap_elf_image_read and asnap_elf_image_holds, of a file whose first page the
 * program may have protected or unmapped since it was loaded. */
static bool read_headers(uint64_t start, struct asnap_elf_image *image)
{
    return asnap_readable_page(start) && asnap_elf_image_read(start, image);
}

static bool holds(uint64_t start, uint64_t address)
{
    return asnap_readable_page(start) && asnap_elf_image_holds(start, address);
}

/* The part of some bytes that can be read now. */
static struct asnap_bytes readable_part(struct asnap_bytes bytes)
{
    if (bytes.at != NULL)
        bytes.end = bytes.at + asnap_readable_bytes((uint64_t)(uintptr_t)bytes.at,
                                                    (uint64_t)(bytes.end - bytes.at));
    return bytes;
}

/* A file whose headers cannot be read: the linker knows where its unwind information is. */
static void read_without_headers(const struct asnap_linker_object *object,
                                 struct asnap_elf_image *image)
{
    struct asnap_bytes unwind = {object->eh_frame, object->map_end};
    *image = (struct asnap_elf_image){
        .start = (uint64_t)(uintptr_t)object->map_start,
        .end = (uint64_t)(uintptr_t)object->map_end,
    };
    if (unwind.at != NULL && unwind.at < unwind.end)
        image->unwind_table = image->unwind_readable = readable_part(unwind);
}

/* What the linker has loaded: it knows where that begins, also where the code was moved to memory
 * of no file (large pages). */
static bool read_linked(const struct asnap_linker_object *object, struct asnap_mapped_file *file,
                        struct asnap_elf_image *image)
{
    uint64_t start = (uint64_t)(uintptr_t)object->map_start;
    if (!asnap_readable_page(start))
        read_without_headers(object, image);
    else if (!asnap_elf_image_read(start, image))
        return false;
    if (!asnap_memory_map_find(image->start, image->end, file))
        fall_back_on_linker(object, file);
    return true;
}

/* What is mapped at `address`, by that mapping of its file. */
static bool read_mapped(uint64_t address, struct asnap_mapped_file *file,
                        struct asnap_elf_image *image)
{
    if (!asnap_memory_map_find(address, address + 1, file) || file->first_page == 0 ||
        !asnap_readable_page(file->first_page))
        return false;
    uint64_t offset = address - file->start + file->offset;
    return asnap_elf_image_read_around(file->first_page, address, offset, image);
}

/* The file that is loaded at `address`, with its path in `file`. */
static bool read_image(uint64_t address, struct asnap_mapped_file *file,
                       struct asnap_elf_image *image)
{
    struct asnap_linker_object object;
    if (!asnap_linker_can_find())
        return read_mapped(address, file, image);
    /* Code that the linker has not loaded is not looked for: where its file begins is not known. */
    return asnap_linker_find(address, &object) &&
           (read_linked(&object, file, image) || read_mapped(address, file, image));
}

bool asnap_modules_bounds(uint64_t address, uint64_t *start, uint64_t *end)
{
    struct asnap_elf_image image;
    struct asnap_mapped_file *file = asnap_pages_map(sizeof(*file));
    bool found = file != NULL && read_image(address, file, &image);
    asnap_pages_unmap(file, sizeof(*file));
    if (found) {
        *start = image.start;
        *end = image.end;
    }
    return found;
}

/* Where the linker was run as a program, the kernel does not tell where it is. A linker that is the
 * C library as well, as musl's is, unloads nothing: none of its calls matters. */
void asnap_modules_init(void)
{
    struct asnap_elf_image image;
    uint64_t start = getauxval(AT_BASE);
    if (start == 0 && &_r_debug != NULL)
        start = _r_debug.r_ldbase;
    if (start != 0 && read_headers(start, &image)) {
        modules.linker_start = image.start;
        modules.linker_end = image.end;
    }
    if (asnap_modules_is_linker((uint64_t)(uintptr_t)getauxval))
        modules.linker_end = modules.linker_start;
}

bool asnap_modules_is_linker(uint64_t pc)
{
    return pc - modules.linker_start < modules.linker_end - modules.linker_start;
}

void asnap_modules_linker(uint64_t *start, uint64_t *end)
{
    *start = modules.linker_start;
    *end = modules.linker_end;
}

static uint32_t list_module(const struct asnap_elf_image *image, const char *path)
{
    struct asnap_table_module module = {.start = image->start, .end = image->end};
    size_t bytes = (size_t)(image->build_id.end - image->build_id.at);
    if (bytes <= sizeof(module.build_id)) {
        module.build_id_bytes = (uint32_t)bytes;
        if (bytes != 0)
            memcpy(module.build_id, image->build_id.at, bytes);
    }
    return asnap_module_list_add(&module, path);
}

/* Reads what is at `pc`, with its path in `file`. */
static bool read_module(uint64_t pc, struct asnap_mapped_file *file, struct asnap_elf_image *image,
                        struct asnap_loaded_module *module)
{
    if (!read_image(pc, file, image) || pc >= image->end ||
        (image->has_gaps && !holds(image->start, pc)))
        return false;
    *module = (struct asnap_loaded_module){
        .start = image->start,
        .end = image->end,
        .has_gaps = image->has_gaps,
        .unwind_table = image->unwind_table,
        .unwind_readable = readable_part(image->unwind_readable),
    };
    if (image->unwind_table.at == NULL)
        asnap_unwind_section_find(file->path, image, &module->unwind_readable);
    return true;
}

static bool find_new(uint64_t pc, bool listed, struct asnap_loaded_module *module)
{
    struct asnap_elf_image image;
    struct asnap_mapped_file *file = asnap_pages_map(sizeof(*file));
    bool found = file != NULL && read_module(pc, file, &image, module);
    if (found && listed) {
        module->number = list_module(&image, file->path);
        /* Beyond that many they are looked for each time. */
        if (modules.count < MODULES_MAX)
            modules.list[modules.count++] = *module;
    }
    asnap_pages_unmap(file, sizeof(*file));
    return found;
}

static bool find(uint64_t pc, struct asnap_loaded_module *module)
{
    if (__atomic_load_n(&modules.forgotten, __ATOMIC_RELAXED) != 0 &&
        __atomic_exchange_n(&modules.forgotten, 0, __ATOMIC_ACQUIRE) != 0)
        modules.count = 0;
    for (uint32_t i = 0; i < modules.count; i++) {
        const struct asnap_loaded_module *known = &modules.list[i];
        if (pc - known->start < known->end - known->start &&
            (!known->has_gaps || holds(known->start, pc))) {
            *module = *known;
            return true;
        }
    }
    return find_new(pc, true, module);
}

enum asnap_module_search asnap_modules_find(uint64_t pc, unsigned avoid,
                                            struct asnap_loaded_module *module)
{
    if ((avoid & ASNAP_AVOID_WAITING) == 0)
        asnap_lock(&modules.lock);
    else if (!asnap_trylock(&modules.lock))
        return find_new(pc, false, module) ? ASNAP_MODULE_UNLISTED : ASNAP_MODULE_NONE;
    bool found = find(pc, module);
    asnap_unlock(&modules.lock);
    return found ? ASNAP_MODULE_FOUND : ASNAP_MODULE_NONE;
}

/* Without the lock: a signal handler could come in between, and wait for it. */
void asnap_modules_forget(void)
{
    __atomic_store_n(&modules.forgotten, 1, __ATOMIC_RELEASE);
}

void asnap_modules_mend(const uint32_t *only)
{
    if (!asnap_lock_is_orphan(&modules.lock, only))
        return;
    modules.count = 0;
    __atomic_store_n(&modules.lock, 0, __ATOMIC_RELEASE);
}
