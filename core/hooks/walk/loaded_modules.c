#include "loaded_modules.h"

#include <link.h>
#include <string.h>
#include <sys/auxv.h>

#include "elf_image.h"
#include "kernel.h"
#include "linker.h"
#include "lock.h"
#include "memory_map.h"
#include "module_list.h"
#include "pages.h"

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
static void fall_back_on_linker(uint64_t pc, struct asnap_mapped_file *file)
{
    struct asnap_linker_object object;
    const char *name = "";
    if (asnap_linker_find(pc, &object))
        name = object.link_map->l_name;
    size_t length = strnlen(name, sizeof(file->path) - 1);
    memcpy(file->path, name, length);
    if (length == 0) {
        long got = asnap_kernel_readlink("/proc/self/exe", file->path, sizeof(file->path) - 1);
        length = got < 0 ? 0 : (size_t)got;
    }
    file->path[length] = '\0';
}

/* The file that has code at `pc`, and where it begins. */
static bool locate(uint64_t pc, struct asnap_mapped_file *file)
{
    if (asnap_memory_map_find(pc, file))
        return true;
    struct asnap_linker_object object;
    if (!asnap_linker_find(pc, &object))
        return false;
    file->start = (uint64_t)(uintptr_t)object.map_start;
    fall_back_on_linker(pc, file);
    return true;
}

bool asnap_modules_bounds(uint64_t address, uint64_t *start, uint64_t *end)
{
    struct asnap_elf_image image;
    struct asnap_mapped_file *file = asnap_pages_map(sizeof(*file));
    bool found = file != NULL && locate(address, file) && asnap_elf_image_read(file->start, &image);
    asnap_pages_unmap(file, sizeof(*file));
    if (found) {
        *start = image.start;
        *end = image.end;
    }
    return found;
}

/* AT_BASE is 0 where the linker was run as a program. */
void asnap_modules_init(void)
{
    uint64_t base = getauxval(AT_BASE);
    asnap_modules_bounds(base != 0 ? base : (uint64_t)(uintptr_t)&_r_debug, &modules.linker_start,
                         &modules.linker_end);
}

bool asnap_modules_is_linker(uint64_t pc)
{
    return pc - modules.linker_start < modules.linker_end - modules.linker_start;
}

/* Code that no file was mapped for has its first page anywhere, or nowhere. */
static bool is_loaded(uint64_t pc)
{
    struct asnap_linker_object object;
    return !asnap_linker_can_find() || asnap_linker_find(pc, &object);
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
    if (!is_loaded(pc) || !locate(pc, file) || !asnap_elf_image_read(file->start, image) ||
        pc >= image->end)
        return false;
    *module = (struct asnap_loaded_module){
        .start = image->start,
        .end = image->end,
        .unwind_table = image->unwind_table,
        .unwind_readable = image->unwind_readable,
    };
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
        if (pc - modules.list[i].start < modules.list[i].end - modules.list[i].start) {
            *module = modules.list[i];
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

void asnap_modules_lock(void)
{
    asnap_lock(&modules.lock);
}

void asnap_modules_unlock(void)
{
    asnap_unlock(&modules.lock);
}
