#include "program_image.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

const uint64_t heap_blocks[3] = {HEAP_AT + 0x100, HEAP_AT + 0x200, HEAP_AT + 0x300};
const uint64_t heap_sizes[3] = {24, 24, 24};

uint8_t *program_at(struct program *program, uint64_t address)
{
    for (size_t i = 0; i < program->piece_count; i++) {
        const struct asnap_region *region = &program->pieces[i].region;
        if (address >= region->start && address < region->end)
            return program->pieces[i].bytes + (address - region->start);
    }
    return NULL;
}

static int read_program(void *context, uint64_t address, void *buffer, size_t size)
{
    struct program *program = context;
    if (address >= IMAGE_BASE && address < IMAGE_BASE + IMAGE_BYTES)
        return program->image.memory.read(&program->image, address, buffer, size);
    for (size_t i = 0; i < program->piece_count; i++) {
        const struct asnap_region *region = &program->pieces[i].region;
        if (address < region->start || address >= region->end)
            continue;
        size_t there = (size_t)(region->end - address);
        if (program->pieces[i].bytes == NULL)
            return ASNAP_READ_FAILED;
        memcpy(buffer, program_at(program, address), size < there ? size : there);
        return size <= there
                   ? ASNAP_READ_OK
                   : read_program(context, region->end, (char *)buffer + there, size - there);
    }
    return ASNAP_READ_FAILED;
}

void program_init(struct program *program)
{
    memset(program, 0, sizeof(*program));
    image_init(&program->image);
    program->memory = (struct asnap_memory){.read = read_program, .context = program};
    program->facts.memory = &program->memory;
    program->facts.root_address = IMAGE_BASE;
    program->facts.threads = program->threads;
    program->facts.registers = program->registers;
}

void program_deinit(struct program *program)
{
    image_deinit(&program->image);
    for (size_t i = 0; i < program->piece_count; i++)
        free(program->pieces[i].bytes);
}

void program_map(struct program *program, uint64_t start, uint64_t size, uint32_t flags,
                 const char *path)
{
    struct piece *piece = &program->pieces[program->piece_count];
    piece->region =
        (struct asnap_region){.start = start, .end = start + size, .path = path, .flags = flags};
    piece->bytes = flags == NONE ? NULL : calloc(size, 1);
    CU_ASSERT_FATAL(program->piece_count < PIECES_MAX && (flags == NONE || piece->bytes != NULL));
    program->regions[program->piece_count++] = piece->region;
    program->facts.regions = program->regions;
    program->facts.region_count = program->piece_count;
}

void program_put(struct program *program, uint64_t address, uint64_t word)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(program_at(program, address));
    memcpy(program_at(program, address), &word, sizeof(word));
}

uint32_t program_thread(struct program *program, uint64_t stack_pointer, uint64_t thread_pointer)
{
    uint32_t number = (uint32_t)program->facts.thread_count++;
    program->threads[number] = (struct asnap_thread){
        .number = 100 + number, .stack_pointer = stack_pointer, .thread_pointer = thread_pointer};
    return number;
}

void program_put_pthread(struct program *program, uint64_t pointer, uint64_t vector, uint64_t block,
                         uint64_t size, uint64_t guard)
{
    program_put(program, pointer, pointer);
    program_put(program, pointer + 8, vector);
    program_put(program, pointer + 16, pointer);
    program_put(program, pointer + 0x690, block);
    program_put(program, pointer + 0x698, size);
    program_put(program, pointer + 0x6a0, guard);
}

struct asnap_snapshot *program_snapshot(struct program *program, const uint64_t *addresses,
                                        const uint64_t *sizes, size_t count)
{
    struct asnap_builder *builder;
    struct asnap_snapshot *snapshot;
    struct asnap_frame frame = {.filename = "main.c", .lineno = 1};
    uint32_t frame_id;
    uint32_t traceback;
    ASNAP_ASSERT_OK(asnap_builder_create(&builder));
    ASNAP_ASSERT_OK(asnap_builder_frame(builder, &frame, 0, ASNAP_NO_MAPPING, &frame_id));
    ASNAP_ASSERT_OK(asnap_builder_traceback(builder, &frame_id, 1, 1, &traceback));
    for (size_t i = 0; i < count; i++)
        program->traces[i] = (struct asnap_trace){.address = addresses[i],
                                                  .size = sizes[i],
                                                  .traceback_id = traceback,
                                                  .time = ASNAP_TIME_UNKNOWN};
    ASNAP_ASSERT_OK(asnap_builder_traces(builder, program->traces, count));
    ASNAP_ASSERT_OK(asnap_builder_finish(builder, 16, &snapshot));
    asnap_builder_destroy(builder);
    return snapshot;
}

const char *program_classes(struct program *program, const uint64_t *addresses,
                            const uint64_t *sizes, size_t count)
{
    static char letters[BLOCKS_MAX + 1];
    struct asnap_graph *graph = NULL;
    struct asnap_snapshot *snapshot = program_snapshot(program, addresses, sizes, count);
    ASNAP_ASSERT_OK(asnap_graph_create(snapshot, &program->facts, &graph));
    for (uint32_t i = 0; i < count; i++)
        letters[i] = "?rpid"[asnap_graph_block(graph, i).reach];
    letters[count] = '\0';
    asnap_graph_destroy(graph);
    asnap_snapshot_destroy(snapshot);
    return letters;
}

void program_load_file(struct program *program)
{
    program_map(program, FILE_AT, 0x2000, R, "/bin/program");
    program_map(program, FILE_AT + 0x2000, 0x1000, RX, "/bin/program");
    program_map(program, FILE_AT + 0x3000, 0x1000, RW, "/bin/program");
    program_map(program, FILE_AT + 0x4000, 0x21000, RW, NULL);
    Elf64_Ehdr header = {.e_type = ET_DYN,
                         .e_phoff = sizeof(header),
                         .e_phentsize = sizeof(Elf64_Phdr),
                         .e_phnum = 2};
    memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    Elf64_Phdr headers[2] = {
        {.p_type = PT_LOAD, .p_flags = PF_R, .p_memsz = 0x2000},
        {.p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_vaddr = 0x3100, .p_memsz = 0x1e00},
    };
    memcpy(program_at(program, FILE_AT), &header, sizeof(header));
    memcpy(program_at(program, FILE_AT + sizeof(header)), headers, sizeof(headers));
}
