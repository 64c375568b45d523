#include "thread_stacks.h"

#include <stdlib.h>

#include "error.h"
#include "grow.h"
#include "inferior_map.h"
#include "loaded_files.h"

#define PAGE ((uint64_t)4096)
/* What the x86-64 ABI lets code use below the stack pointer; that of aarch64 has none. */
#define RED_ZONE 128u
/* glibc's struct pthread is around the thread pointer: from there on upwards on x86-64, below it on
 * aarch64. */
enum { PTHREAD_BYTES = 0xa00, PTHREAD_WORDS = PTHREAD_BYTES / 8 };
/* A stack is searched for the one of an ended thread from its end downwards. */
#define SEARCH_BYTES ((uint64_t)1 << 20)
#define SMALLEST_STACK 4096u

struct finding {
    const struct asnap_graph_facts *facts;
    struct asnap_claims *claims;
    struct asnap_thread_stacks *stacks;
    struct asnap_claim *blocks; /* the stacks of threads that run, as they were mapped */
    size_t block_count;
    uint64_t red_zone;  /* bytes */
    bool head_is_found; /* struct pthread begins with what tells it apart */
};

/* A stack as struct pthread has it: `stackblock`, `stackblock_size` and `guardsize` lie side by
 * side. Where they are differs between versions, what they must be does not. */
struct stack_block {
    uint64_t start;
    uint64_t size;
    uint64_t guard;
};

static bool may_be_stack(const struct stack_block *block)
{
    return block->start >= PAGE && block->start % 16 == 0 && block->size >= SMALLEST_STACK &&
           block->size < (uint64_t)1 << 40 && block->guard < block->size &&
           block->guard % PAGE == 0;
}

/* Whether a stack holds what belongs to its thread. */
static bool holds(const struct stack_block *block, uint64_t address)
{
    return address >= block->start && address - block->start < block->size;
}

/* Whether it is in memory that can be a stack, behind its guard. */
static bool is_mapped(const struct asnap_graph_facts *facts, const struct stack_block *block)
{
    const struct asnap_region *region = asnap_inferior_region(facts, block->start + block->guard);
    return region != NULL && asnap_region_is_data(region) && !asnap_region_is_file(region) &&
           block->start + block->size <= region->end;
}

/* Copies the words from `at` on that are mapped: the mapping of a stack can end right behind its
 * thread's struct pthread. *count becomes 0 where they cannot be read. */
static struct asnap_error *copy_words(const struct asnap_graph_facts *facts, uint64_t at,
                                      uint64_t words[PTHREAD_WORDS], size_t *count)
{
    bool read;
    size_t bytes = PTHREAD_BYTES;
    const struct asnap_region *region = asnap_inferior_region(facts, at);
    if (region != NULL && region->end - at < bytes)
        bytes = (size_t)(region->end - at) / 8 * 8;
    struct asnap_error *error = asnap_inferior_copy(facts, at, words, bytes, &read);
    *count = error == NULL && read ? bytes / 8 : 0;
    return error;
}

/* Looks for the stack of the thread with this thread pointer. */
static struct asnap_error *find_block(const struct asnap_graph_facts *facts, uint64_t pointer,
                                      struct stack_block *block, bool *found)
{
    uint64_t words[PTHREAD_WORDS];
    *found = false;
    for (int below = 0; below < 2 && !*found; below++) {
        size_t count;
        uint64_t at = below ? pointer - PTHREAD_BYTES : pointer;
        if (pointer < PTHREAD_BYTES)
            return NULL;
        struct asnap_error *error = copy_words(facts, at, words, &count);
        if (error != NULL)
            return error;
        for (size_t i = 0; !*found && i + 3 <= count; i++) {
            *block = (struct stack_block){words[i], words[i + 1], words[i + 2]};
            *found = may_be_stack(block) && holds(block, pointer) && holds(block, at + i * 8) &&
                     is_mapped(facts, block);
        }
    }
    return NULL;
}

/* Whether a region, not the first, comes right after memory that can be no data. In cores of gdb
 * that can be read. */
static bool is_guarded(const struct asnap_region *region)
{
    return region[-1].end == region->start &&
           (region[-1].flags & (ASNAP_REGION_WRITABLE | ASNAP_REGION_EXECUTABLE)) == 0 &&
           !asnap_region_is_file(&region[-1]);
}

/* The stack of the first thread, which the kernel has made; NULL: not known. */
static const struct asnap_region *first_stack(const struct asnap_graph_facts *facts)
{
    if (facts->main_stack != 0)
        return asnap_inferior_region(facts, facts->main_stack);
    for (size_t i = 0; i < facts->region_count; i++) {
        if (asnap_region_is(&facts->regions[i], "[stack]"))
            return &facts->regions[i];
    }
    return NULL;
}

/* Claims a stack that the stack pointer is in. */
static struct asnap_error *claim_used(struct finding *finding, uint32_t number, uint64_t start,
                                      uint64_t end)
{
    uint64_t pointer = finding->facts->threads[number].stack_pointer;
    uint64_t used = pointer - start < finding->red_zone ? start : pointer - finding->red_zone;
    struct asnap_error *error =
        asnap_claims_add(finding->claims, pointer, end, ASNAP_CLAIM_STACK, number);
    if (error == NULL)
        error = asnap_claims_add(finding->claims, used, pointer, ASNAP_CLAIM_RED_ZONE, number);
    if (error == NULL)
        error = asnap_claims_add(finding->claims, start, used, ASNAP_CLAIM_DEAD, 0);
    return error;
}

/* Where a thread's stack begins and ends is not in memory as glibc has it: the mapping of its stack
 * pointer is it where the thread pointer is further up in it, and a guard before it. */
static struct asnap_error *claim_mapping(struct finding *finding, uint32_t number)
{
    const struct asnap_graph_facts *facts = finding->facts;
    const struct asnap_thread *thread = &facts->threads[number];
    const struct asnap_region *region = asnap_inferior_region(facts, thread->stack_pointer);
    if (region != NULL && region > facts->regions &&
        thread->thread_pointer > thread->stack_pointer && thread->thread_pointer < region->end &&
        region[-1].end == region->start && region[-1].flags == 0)
        return claim_used(finding, number, region->start, region->end);
    finding->stacks->elsewhere[finding->stacks->elsewhere_count++] = (struct asnap_claim){
        thread->stack_pointer, thread->stack_pointer, ASNAP_CLAIM_STACK, number};
    return NULL;
}

static struct asnap_error *claim_thread(struct finding *finding, uint32_t number,
                                        const struct asnap_region *first, bool *first_is_used)
{
    const struct asnap_graph_facts *facts = finding->facts;
    const struct asnap_thread *thread = &facts->threads[number];
    struct stack_block block;
    bool found = false;
    if (thread->stack_pointer == 0)
        finding->stacks->unknown_count++;
    struct asnap_error *error = thread->thread_pointer == 0
                                    ? NULL
                                    : find_block(facts, thread->thread_pointer, &block, &found);
    if (error != NULL)
        return error;
    if (found) {
        uint64_t end = block.start + block.size;
        finding->blocks[finding->block_count++] =
            (struct asnap_claim){block.start, end, ASNAP_CLAIM_STACK, number};
        if (holds(&block, thread->stack_pointer))
            return claim_used(finding, number, block.start + block.guard, end);
        error = asnap_claims_add(finding->claims, block.start + block.guard, end, ASNAP_CLAIM_STACK,
                                 number);
    } else if (first != NULL && thread->stack_pointer >= first->start &&
               thread->stack_pointer < first->end) {
        *first_is_used = true;
        return claim_used(finding, number, first->start, first->end);
    }
    if (error == NULL && thread->stack_pointer != 0)
        error = found ? NULL : claim_mapping(finding, number);
    if (found)
        finding->stacks->elsewhere[finding->stacks->elsewhere_count++] = (struct asnap_claim){
            thread->stack_pointer, thread->stack_pointer, ASNAP_CLAIM_STACK, number};
    return error;
}

/* ---- threads that have ended ---- */

static struct asnap_error *add_vector(struct asnap_thread_stacks *stacks, uint64_t place,
                                      uint64_t word)
{
    struct asnap_found_word *grown = asnap_grow(stacks->vectors, &stacks->vector_capacity,
                                                stacks->vector_count + 1, sizeof(*grown));
    if (grown == NULL)
        return asnap_error_no_memory();
    stacks->vectors = grown;
    grown[stacks->vector_count++] = (struct asnap_found_word){place, word};
    return NULL;
}

/* Where a thread's struct pthread begins in words that end at its stack's place: on x86-64 the
 * first word points to itself, and so does the third (tcbhead_t: tcb, dtv, self). False: it is not
 * there. */
static bool find_head(const uint64_t *words, size_t place, uint64_t at, size_t *head)
{
    size_t first = place < PTHREAD_WORDS ? 0 : place - PTHREAD_WORDS;
    for (size_t i = first; i + 2 < place; i++) {
        if (words[i] == at + i * 8 && words[i + 2] == words[i]) {
            *head = i;
            return true;
        }
    }
    return false;
}

static bool is_used(const struct finding *finding, const struct stack_block *block)
{
    for (size_t i = 0; i < finding->block_count; i++) {
        if (finding->blocks[i].start < block->start + block->size &&
            block->start < finding->blocks[i].end)
            return true;
    }
    for (size_t i = 0; i < finding->facts->thread_count; i++) {
        const struct asnap_thread *thread = &finding->facts->threads[i];
        if (holds(block, thread->stack_pointer) || holds(block, thread->thread_pointer))
            return true;
    }
    return false;
}

/* Claims the stack of an ended thread. From `head` on, its struct pthread, it may still be used:
 * who joins the thread gets its result from there. 0: not known where. */
static struct asnap_error *claim_ended(struct finding *finding, const struct asnap_region *region,
                                       const struct stack_block *block, uint64_t head)
{
    uint64_t end = block->start + block->size;
    bool all_known = finding->facts->thread_count != 0;
    for (size_t i = 0; i < finding->facts->thread_count; i++)
        all_known = all_known && finding->facts->threads[i].thread_pointer != 0;
    if (!all_known) {
        finding->stacks->unmatched_count++;
        return NULL;
    }
    struct asnap_error *error = asnap_claims_add(finding->claims, region->start,
                                                 head == 0 ? end : head, ASNAP_CLAIM_DEAD, 0);
    if (error == NULL && head != 0)
        error = asnap_claims_add(finding->claims, head, end, ASNAP_CLAIM_STACK, UINT32_MAX);
    return error;
}

/* Looks for the struct pthread of a stack that begins where `region` does, in the words at `at`. */
static struct asnap_error *look_at(struct finding *finding, const struct asnap_region *region,
                                   const uint64_t *words, size_t count, uint64_t at, bool *found)
{
    for (size_t i = 0; i + 3 <= count; i++) {
        struct stack_block block = {words[i], words[i + 1], words[i + 2]};
        if (!may_be_stack(&block) || block.start + block.guard != region->start ||
            block.start + block.size > region->end || !holds(&block, at + i * 8))
            continue;
        size_t head = 0;
        bool has_head = find_head(words, i, at, &head);
        /* Without it, numbers of the program's may look like a stack's. */
        if (!has_head && finding->head_is_found)
            continue;
        *found = true;
        if (is_used(finding, &block))
            return NULL;
        struct asnap_error *error =
            claim_ended(finding, region, &block, has_head ? at + head * 8 : 0);
        /* The vector of its thread-local storage is the second word. */
        if (error == NULL && has_head)
            error = add_vector(finding->stacks, at + (head + 1) * 8, words[head + 1]);
        return error;
    }
    return NULL;
}

static struct asnap_error *search_region(struct finding *finding, const struct asnap_region *region,
                                         uint64_t *words)
{
    bool found = false;
    struct asnap_error *error = NULL;
    uint64_t end = region->end;
    while (error == NULL && !found && end > region->start) {
        uint64_t start = end - region->start < SEARCH_BYTES ? region->start : end - SEARCH_BYTES;
        bool read;
        error = asnap_inferior_copy(finding->facts, start, words, end - start, &read);
        if (error == NULL && read)
            error = look_at(finding, region, words, (end - start) / 8, start, &found);
        /* Pieces overlap, as what is looked for may lie across their bounds. */
        end = start == region->start ? start : start + PTHREAD_BYTES;
        if (end - region->start > (uint64_t)64 << 20)
            break;
    }
    return error;
}

/* Whether a region can begin with the stack of an ended thread. Stacks begin after a guard, memory
 * that nothing can be done with; so do heaps of glibc's arenas, which are aligned. */
static bool may_be_ended(const struct finding *finding, const struct asnap_region *region)
{
    if (!asnap_region_is_data(region) || asnap_region_is_file(region) || !is_guarded(region) ||
        region->start % ((uint64_t)64 << 20) == 0)
        return false;
    for (size_t i = 0; i < finding->block_count; i++) {
        if (finding->blocks[i].start <= region->start && region->start < finding->blocks[i].end)
            return false;
    }
    return true;
}

static struct asnap_error *find_ended(struct finding *finding)
{
    const struct asnap_graph_facts *facts = finding->facts;
    if (facts->regions == NULL)
        return NULL;
    uint64_t *words = malloc(SEARCH_BYTES);
    struct asnap_error *error = words == NULL ? asnap_error_no_memory() : NULL;
    for (size_t i = 1; error == NULL && i < facts->region_count; i++) {
        const struct asnap_region *region = &facts->regions[i];
        if (may_be_ended(finding, region))
            error = search_region(finding, region, words);
    }
    free(words);
    return error;
}

struct asnap_error *asnap_thread_stacks_claim(const struct asnap_graph_facts *facts,
                                              struct asnap_claims *claims,
                                              struct asnap_thread_stacks *stacks)
{
    struct finding finding = {.facts = facts, .claims = claims, .stacks = stacks};
    *stacks = (struct asnap_thread_stacks){0};
    stacks->elsewhere = calloc(facts->thread_count + 1, sizeof(*stacks->elsewhere));
    finding.blocks = calloc(facts->thread_count + 1, sizeof(*finding.blocks));
    uint16_t machine = 0;
    struct asnap_error *error = asnap_loaded_machine(facts, &machine);
    finding.red_zone = machine == EM_AARCH64 ? 0 : RED_ZONE;
    finding.head_is_found = machine == EM_X86_64;
    if (error == NULL && (stacks->elsewhere == NULL || finding.blocks == NULL))
        error = asnap_error_no_memory();
    const struct asnap_region *first = first_stack(facts);
    bool first_is_used = false;
    for (size_t i = 0; error == NULL && i < facts->thread_count; i++)
        error = claim_thread(&finding, (uint32_t)i, first, &first_is_used);
    /* The first thread is on another stack, or its registers are not known. */
    if (error == NULL && first != NULL && !first_is_used)
        error = asnap_claims_add(claims, first->start, first->end, ASNAP_CLAIM_STACK, 0);
    if (error == NULL)
        error = find_ended(&finding);
    free(finding.blocks);
    if (error != NULL)
        asnap_thread_stacks_deinit(stacks);
    return error;
}

void asnap_thread_stacks_deinit(struct asnap_thread_stacks *stacks)
{
    free(stacks->elsewhere);
    free(stacks->vectors);
    *stacks = (struct asnap_thread_stacks){0};
}
