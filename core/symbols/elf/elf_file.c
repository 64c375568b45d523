#include "elf_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "byte_cursor.h"
#include "elf_contents.h"
#include "elf_tables.h"
#include "error.h"
#include "open_file.h"

/* Finds the names of the sections; false where headers that the file promises are not there. */
static bool find_sections(struct asnap_elf *elf, const GElf_Ehdr *header)
{
    if (header->e_shoff == 0)
        return true;
    return elf_getshdrstrndx(elf->elf, &elf->section_names) == 0 &&
           asnap_elf_has_strings(elf, elf->section_names);
}

static struct asnap_error *check_kind(struct asnap_elf *elf, bool may_be_object)
{
    GElf_Ehdr header;
    if (elf->elf != NULL && elf_kind(elf->elf) == ELF_K_ELF &&
        gelf_getehdr(elf->elf, &header) != NULL &&
        (header.e_type == ET_EXEC || header.e_type == ET_DYN ||
         (may_be_object && header.e_type == ET_REL)) &&
        find_sections(elf, &header))
        return NULL;
    struct asnap_error *error = asnap_error_create(
        ASNAP_ERROR_DAMAGED, "%s: not a whole ELF program or library: its functions are not named",
        elf->path);
    return asnap_error_of_file(error, elf->path, 0);
}

static struct asnap_error *create(const char *path, struct asnap_elf **elf)
{
    elf_version(EV_CURRENT);
    struct asnap_elf *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return asnap_error_no_memory();
    made->fd = -1;
    made->path = strdup(path);
    if (made->path == NULL) {
        free(made);
        return asnap_error_no_memory();
    }
    *elf = made;
    return NULL;
}

/* Takes over the file that is open as `fd`. */
static struct asnap_error *open_fd(int fd, uint64_t file_bytes, const char *path,
                                   bool may_be_object, struct asnap_elf **elf)
{
    struct asnap_elf *made;
    struct asnap_error *error = create(path, &made);
    if (error != NULL) {
        close(fd);
        return error;
    }
    /* Not mapped: a file that shrinks meanwhile must not end in SIGBUS. */
    made->fd = fd;
    made->file_bytes = file_bytes;
    if (asnap_elf_tables_are_there(fd, file_bytes))
        made->elf = elf_begin(fd, ELF_C_READ, NULL);
    error = check_kind(made, may_be_object);
    if (error != NULL) {
        asnap_elf_close(made);
        return error;
    }
    *elf = made;
    return NULL;
}

/* Opens a file. What asnap_open_regular says where it fails is `result`, and no error. */
static struct asnap_error *open_file(const char *path, bool may_be_object, int *result,
                                     struct asnap_elf **elf)
{
    int fd;
    struct stat status;
    *result = asnap_open_regular(path, &fd, &status);
    if (*result != 0)
        return NULL;
    return open_fd(fd, (uint64_t)status.st_size, path, may_be_object, elf);
}

static struct asnap_error *unreadable(const char *path, int result)
{
    struct asnap_error *error =
        asnap_error_create(ASNAP_ERROR_IO, "%s: cannot be read (%s): its functions are not named",
                           path, asnap_open_reason(result));
    return asnap_error_of_file(error, path, asnap_open_errno(result));
}

struct asnap_error *asnap_elf_open(const char *path, struct asnap_elf **elf)
{
    int result;
    struct asnap_error *error = open_file(path, false, &result, elf);
    return result == 0 ? error : unreadable(path, result);
}

struct asnap_error *asnap_elf_open_found(const char *path, bool may_be_object,
                                         struct asnap_elf **elf)
{
    int result;
    struct asnap_elf *found = NULL;
    struct asnap_error *error = open_file(path, may_be_object, &result, &found);
    if (result != 0 && result != ENOENT && result != ENOTDIR)
        error = unreadable(path, result);
    if (error == NULL)
        *elf = found;
    return error;
}

struct asnap_error *asnap_elf_open_object(int fd, const char *path, struct asnap_elf **elf)
{
    struct stat status;
    uint64_t file_bytes = fstat(fd, &status) == 0 ? (uint64_t)status.st_size : 0;
    return open_fd(fd, file_bytes, path, true, elf);
}

struct asnap_error *asnap_elf_open_image(char *image, size_t size, const char *name,
                                         struct asnap_elf **elf)
{
    struct asnap_elf *made;
    struct asnap_error *error = create(name, &made);
    if (error != NULL)
        return error;
    made->file_bytes = size;
    made->elf = elf_memory(image, size);
    error = check_kind(made, false);
    if (error != NULL) {
        asnap_elf_close(made);
        return error;
    }
    *elf = made;
    return NULL;
}

void asnap_elf_close(struct asnap_elf *elf)
{
    if (elf == NULL)
        return;
    elf_end(elf->elf);
    if (elf->fd >= 0)
        close(elf->fd);
    free(elf->path);
    free(elf);
}

struct asnap_error *asnap_elf_loads(const struct asnap_elf *elf, struct asnap_load **loads,
                                    size_t *count)
{
    size_t header_count = 0;
    if (elf_getphdrnum(elf->elf, &header_count) != 0)
        header_count = 0;
    struct asnap_load *made = calloc(header_count + 1, sizeof(*made));
    if (made == NULL)
        return asnap_error_no_memory();
    size_t used = 0;
    for (size_t i = 0; i < header_count && i <= INT32_MAX; i++) {
        GElf_Phdr header;
        if (gelf_getphdr(elf->elf, (int)i, &header) == NULL || header.p_type != PT_LOAD)
            continue;
        made[used++] = (struct asnap_load){
            .offset = header.p_offset,
            .size = header.p_filesz,
            .address = header.p_vaddr,
            .memory_size = header.p_memsz,
            .executable = (header.p_flags & PF_X) != 0,
        };
    }
    *loads = made;
    *count = used;
    return NULL;
}

uint64_t asnap_elf_lowest_page(const struct asnap_load *loads, size_t count)
{
    const uint64_t page = 4096; /* whole pages are mapped, of at least that size */
    uint64_t lowest = count == 0 ? 0 : UINT64_MAX;
    for (size_t i = 0; i < count; i++) {
        if (loads[i].address < lowest)
            lowest = loads[i].address;
    }
    return lowest - lowest % page;
}

/* Programs and libraries have a few hundred bytes of notes, and not more than a few pieces. */
#define NOTE_BYTES_MAX ((uint64_t)64 * 1024)

/* Looks for the build ID in a piece of notes. */
static bool find_build_id(Elf_Data *notes, struct asnap_build_id *id)
{
    if (notes == NULL || notes->d_buf == NULL)
        return false;
    GElf_Nhdr header;
    size_t name;
    size_t content;
    for (size_t at = 0, next; (next = gelf_getnote(notes, at, &header, &name, &content)) > at;
         at = next) {
        const unsigned char *bytes = notes->d_buf;
        if (header.n_type != NT_GNU_BUILD_ID || header.n_namesz != sizeof("GNU") ||
            memcmp(bytes + name, "GNU", sizeof("GNU")) != 0)
            continue;
        if (header.n_descsz == 0 || header.n_descsz > ASNAP_BUILD_ID_MAX)
            continue;
        id->size = header.n_descsz;
        memcpy(id->bytes, bytes + content, id->size);
        return true;
    }
    return false;
}

void asnap_elf_build_id(const struct asnap_elf *elf, struct asnap_build_id *id)
{
    *id = (struct asnap_build_id){0};
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf->elf, section)) != NULL;) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) != NULL && header.sh_type == SHT_NOTE &&
            header.sh_size <= NOTE_BYTES_MAX && find_build_id(asnap_elf_data(elf, section), id))
            return;
    }
    size_t count = 0;
    if (elf_getphdrnum(elf->elf, &count) != 0)
        return;
    for (size_t i = 0; i < count && i <= INT32_MAX; i++) {
        GElf_Phdr header;
        if (gelf_getphdr(elf->elf, (int)i, &header) == NULL || header.p_type != PT_NOTE ||
            header.p_filesz > NOTE_BYTES_MAX ||
            !asnap_elf_is_there(elf, header.p_offset, header.p_filesz))
            continue;
        Elf_Type type = header.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR;
        Elf_Data *notes =
            elf_getdata_rawchunk(elf->elf, (int64_t)header.p_offset, header.p_filesz, type);
        if (find_build_id(notes, id))
            return;
    }
}

struct asnap_error *asnap_elf_head_read(char *bytes, size_t size, struct asnap_elf_head *head)
{
    *head = (struct asnap_elf_head){0};
    if (size < sizeof(Elf64_Ehdr) || memcmp(bytes, ELFMAG, SELFMAG) != 0 ||
        bytes[EI_CLASS] != ELFCLASS64)
        return NULL;
    /* The sections lie beyond: libelf must not look for them. */
    Elf64_Ehdr header;
    memcpy(&header, bytes, sizeof(header));
    header.e_shoff = 0;
    header.e_shnum = 0;
    header.e_shstrndx = SHN_UNDEF;
    memcpy(bytes, &header, sizeof(header));
    struct asnap_elf *elf = NULL;
    struct asnap_error *error = asnap_elf_open_image(bytes, size, "", &elf);
    if (error == NULL)
        error = asnap_elf_loads(elf, &head->loads, &head->load_count);
    if (error == NULL)
        asnap_elf_build_id(elf, &head->build_id);
    asnap_elf_close(elf);
    if (error == NULL || asnap_error_code(error) == ASNAP_ERROR_NO_MEMORY)
        return error;
    asnap_error_destroy(error);
    return NULL;
}

void asnap_elf_head_deinit(struct asnap_elf_head *head)
{
    free(head->loads);
    *head = (struct asnap_elf_head){0};
}

bool asnap_build_id_equal(const struct asnap_build_id *left, const struct asnap_build_id *right)
{
    return left->size == right->size && memcmp(left->bytes, right->bytes, left->size) == 0;
}

bool asnap_elf_is_build(const struct asnap_elf *elf, const struct asnap_build_id *id)
{
    struct asnap_build_id found;
    asnap_elf_build_id(elf, &found);
    return asnap_build_id_equal(&found, id);
}

Elf_Scn *asnap_elf_section(const struct asnap_elf *elf, const char *name)
{
    if (elf->section_names == 0)
        return NULL;
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf->elf, section)) != NULL;) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) == NULL || header.sh_type == SHT_NOBITS)
            continue;
        const char *found = elf_strptr(elf->elf, elf->section_names, header.sh_name);
        if (found != NULL && strcmp(found, name) == 0)
            return section;
    }
    return NULL;
}

bool asnap_elf_is_debug_file(const struct asnap_elf *elf)
{
    bool has_code = false;
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf->elf, section)) != NULL;) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) == NULL || (header.sh_flags & SHF_EXECINSTR) == 0)
            continue;
        if (header.sh_type != SHT_NOBITS)
            return false;
        has_code = true;
    }
    return has_code;
}

static bool is_big_endian(const struct asnap_elf *elf)
{
    const char *ident = elf_getident(elf->elf, NULL);
    return ident != NULL && ident[EI_DATA] == ELFDATA2MSB;
}

/* Has libelf unpack a section; false where it cannot, or should not. */
static bool unpack(const struct asnap_elf *elf, Elf_Scn *section, const GElf_Shdr *header)
{
    GElf_Chdr packing;
    return asnap_elf_packing(elf, section, header, &packing) &&
           !asnap_elf_is_overpacked(header, &packing) && elf_compress(section, 0, 0) >= 0;
}

void asnap_elf_section_contents(const struct asnap_elf *elf, Elf_Scn *section,
                                struct asnap_contents *contents)
{
    *contents = (struct asnap_contents){
        .address_size = gelf_getclass(elf->elf) == ELFCLASS32 ? 4 : 8,
        .big_endian = is_big_endian(elf),
    };
    GElf_Shdr header;
    if (section == NULL || gelf_getshdr(section, &header) == NULL)
        return;
    Elf_Data *data = NULL;
    if ((header.sh_flags & SHF_COMPRESSED) == 0)
        data = asnap_elf_raw_data(elf, section);
    else if (unpack(elf, section, &header))
        data = elf_rawdata(section, NULL);
    if (data == NULL || data->d_buf == NULL)
        return;
    contents->bytes = data->d_buf;
    contents->size = data->d_size;
}

void asnap_elf_debug_contents(const struct asnap_elf *elf, const char *name,
                              struct asnap_contents *contents)
{
    asnap_elf_section_contents(elf, asnap_elf_section(elf, name), contents);
}

/* Whether libelf unpacks what is packed in this way: it depends on the version and on how that was
 * built. It is tried with the smallest of such sections, and in a handle of its own, since
 * elf_compress changes the section for all that look at it. */
static bool unpacks(const struct asnap_elf *elf, uint32_t type)
{
    uint64_t least = UINT64_MAX;
    size_t smallest = 0;
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf->elf, section)) != NULL;) {
        GElf_Shdr header;
        GElf_Chdr packing;
        if (gelf_getshdr(section, &header) == NULL ||
            !asnap_elf_packing(elf, section, &header, &packing) || packing.ch_type != type ||
            packing.ch_size >= least || asnap_elf_is_overpacked(&header, &packing))
            continue;
        least = packing.ch_size;
        smallest = elf_ndxscn(section);
    }
    Elf *again = elf_begin(elf->fd, ELF_C_READ, NULL);
    bool is_unpacked = again != NULL && elf_compress(elf_getscn(again, smallest), 0, 0) >= 0;
    elf_end(again);
    return is_unpacked;
}

bool asnap_elf_is_packed_otherwise(const struct asnap_elf *elf, const char *name)
{
    Elf_Scn *section = asnap_elf_section(elf, name);
    GElf_Shdr header;
    GElf_Chdr packing;
    if (section == NULL || gelf_getshdr(section, &header) == NULL ||
        !asnap_elf_packing(elf, section, &header, &packing) || packing.ch_type == ELFCOMPRESS_ZLIB)
        return false;
    /* What says that it is larger than it can be is damaged, and not to be unpacked. */
    return !asnap_elf_is_overpacked(&header, &packing) && !unpacks(elf, packing.ch_type);
}

bool asnap_elf_debuglink(const struct asnap_elf *elf, const char **name, uint32_t *checksum)
{
    Elf_Data *data = asnap_elf_raw_data(elf, asnap_elf_section(elf, ".gnu_debuglink"));
    if (data == NULL || data->d_buf == NULL)
        return false;
    size_t length = strnlen(data->d_buf, data->d_size);
    size_t place = (length + 1 + 3) & ~(size_t)3;
    if (length == 0 || place > data->d_size || data->d_size - place < sizeof(uint32_t) ||
        memchr(data->d_buf, '/', length) != NULL)
        return false;
    const unsigned char *bytes = (const unsigned char *)data->d_buf + place;
    uint32_t little = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
                      (uint32_t)bytes[3] << 24;
    *checksum = is_big_endian(elf) ? __builtin_bswap32(little) : little;
    *name = data->d_buf;
    return true;
}

/* Reads .debug_sup. */
static bool read_supplement(const struct asnap_elf *elf, bool *is_supplement, const char **path,
                            struct asnap_build_id *checksum)
{
    struct asnap_contents section;
    asnap_elf_debug_contents(elf, ".debug_sup", &section);
    if (section.bytes == NULL)
        return false;
    struct asnap_cursor cursor = {
        .at = section.bytes, .end = section.bytes + section.size, .big_endian = section.big_endian};
    uint64_t version = asnap_cursor_take(&cursor, 2);
    *is_supplement = asnap_cursor_take(&cursor, 1) != 0;
    *path = (const char *)cursor.at;
    if (cursor.is_bad || version != 5)
        return false;
    asnap_cursor_skip(&cursor, strnlen(*path, (size_t)(cursor.end - cursor.at)) + 1);
    uint64_t size = asnap_cursor_take_leb(&cursor);
    if (cursor.is_bad || size == 0 || size > ASNAP_BUILD_ID_MAX ||
        size > (uint64_t)(cursor.end - cursor.at))
        return false;
    checksum->size = (size_t)size;
    memcpy(checksum->bytes, cursor.at, checksum->size);
    return true;
}

bool asnap_elf_is_supplement(const struct asnap_elf *elf, const struct asnap_build_id *id)
{
    bool is_supplement;
    const char *path;
    struct asnap_build_id checksum;
    return read_supplement(elf, &is_supplement, &path, &checksum) && is_supplement &&
           asnap_build_id_equal(&checksum, id);
}

bool asnap_elf_supplement_link(const struct asnap_elf *elf, const char **path,
                               struct asnap_build_id *id)
{
    Elf_Data *data = asnap_elf_raw_data(elf, asnap_elf_section(elf, ".gnu_debugaltlink"));
    bool is_supplement;
    if (data == NULL || data->d_buf == NULL)
        return read_supplement(elf, &is_supplement, path, id) && !is_supplement;
    size_t length = strnlen(data->d_buf, data->d_size);
    if (length == 0 || data->d_size - length < 2 || data->d_size - length - 1 > ASNAP_BUILD_ID_MAX)
        return false;
    id->size = data->d_size - length - 1;
    memcpy(id->bytes, (const char *)data->d_buf + length + 1, id->size);
    *path = data->d_buf;
    return true;
}
