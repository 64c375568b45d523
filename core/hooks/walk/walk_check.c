#include "walk_check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unwind.h>

#include "allocsnap_table.h"
#include "kernel.h"
#include "loaded_modules.h"
#include "stacks.h"

/* A program need not have libgcc. */
#pragma weak _Unwind_Backtrace
#pragma weak _Unwind_GetCFA
#pragma weak _Unwind_GetIPInfo

enum {
    DIFFERENCES_SHOWN = 10,
    FRAMES_SHOWN = 64,
    LINE_BYTES = 160,
    FILE_NAME_BYTES = 4096,
};

bool asnap_walk_check_on;

static char file_name[FILE_NAME_BYTES];
static uint64_t compared;
static uint64_t differing;

struct comparison {
    struct asnap_walker *walker;
    const struct asnap_caller *caller;
    uint32_t place; /* the depth of the frame that is expected next; 0: none left */
    uint32_t seen;  /* frames of libgcc's, from the caller on */
    bool differs;
    uint64_t shown[FRAMES_SHOWN]; /* the first that libgcc saw */
};

struct line {
    char text[LINE_BYTES];
    size_t length;
};

static void add_text(struct line *line, const char *text)
{
    size_t length = strnlen(text, LINE_BYTES - 1 - line->length);
    memcpy(line->text + line->length, text, length);
    line->length += length;
}

static void add_number(struct line *line, uint64_t number, unsigned base)
{
    char digits[24];
    size_t at = sizeof(digits) - 1;
    digits[at] = '\0';
    do {
        digits[--at] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number != 0);
    add_text(line, digits + at);
}

static int open_file(void)
{
    return asnap_kernel_open(file_name, O_WRONLY | O_APPEND | O_CREAT, 0666);
}

static void write_line(struct line *line)
{
    line->text[line->length++] = '\n';
    int file = open_file();
    if (file < 0)
        return;
    asnap_kernel_write(file, line->text, line->length);
    asnap_kernel_close(file);
}

static _Unwind_Reason_Code visit(struct _Unwind_Context *context, void *argument)
{
    struct comparison *comparison = argument;
    int interrupted = 0;
    uint64_t address = _Unwind_GetIPInfo(context, &interrupted);
    if (address == 0)
        return _URC_END_OF_STACK;
    if (comparison->seen == 0 &&
        (address != comparison->caller->pc || _Unwind_GetCFA(context) < comparison->caller->sp))
        return _URC_NO_REASON;
    address += interrupted ? 1 : 0;
    if (comparison->seen < FRAMES_SHOWN)
        comparison->shown[comparison->seen] = address;
    comparison->seen++;
    if (comparison->place == 0 ||
        asnap_walker_frame(comparison->walker, comparison->place).pc != address)
        comparison->differs = true;
    else
        comparison->place--;
    return comparison->seen < ASNAP_TABLE_FRAME_LIMIT_MAX ? _URC_NO_REASON : _URC_END_OF_STACK;
}

/* Whether libgcc's stack has ended where it does not know how to go on, and the hooks do. */
static bool ended_at_call(const struct comparison *comparison)
{
    return comparison->seen != 0 && !comparison->differs &&
           (asnap_walker_frame(comparison->walker, comparison->place + 1).flags &
            ASNAP_FRAME_BY_CALL) != 0;
}

static void show(const struct comparison *comparison)
{
    struct asnap_walker *walker = comparison->walker;
    struct line line = {.length = 0};
    add_text(&line, "a stack differs: frame, the hooks', libgcc's");
    write_line(&line);
    uint32_t depth = asnap_walker_depth(walker);
    for (uint32_t i = 0; i < FRAMES_SHOWN && (i < depth || i < comparison->seen); i++) {
        uint64_t ours = i < depth ? asnap_walker_frame(walker, depth - i).pc : 0;
        uint64_t theirs = i < comparison->seen ? comparison->shown[i] : 0;
        line.length = 0;
        add_text(&line, ours == theirs ? "  " : "! ");
        add_number(&line, i, 10);
        add_text(&line, " 0x");
        add_number(&line, ours, 16);
        add_text(&line, " 0x");
        add_number(&line, theirs, 16);
        write_line(&line);
    }
}

/* Whether the node of the stack that was walked says the same. */
static bool tree_agrees(struct asnap_walker *walker)
{
    uint32_t node = asnap_walker_intern(walker);
    uint32_t depth = asnap_walker_depth(walker);
    if (node == ASNAP_TABLE_NONE)
        return true;
    struct asnap_stacks_frame frame = asnap_stacks_frame(node);
    for (; frame.parent != ASNAP_TABLE_NONE; depth--) {
        uint64_t pc = depth == 0 ? 0 : asnap_walker_frame(walker, depth).pc;
        if (depth == 0 || asnap_table_node_pc(frame.pc) != (pc == asnap_table_node_pc(pc) ? pc : 0))
            return false;
        frame = asnap_stacks_frame(frame.parent);
    }
    return frame.pc == (depth < ASNAP_TABLE_FRAME_LIMIT_MAX ? depth : ASNAP_TABLE_FRAME_LIMIT_MAX);
}

static void show_tree(void)
{
    struct line line = {.length = 0};
    add_text(&line, "the tree says otherwise of a stack");
    write_line(&line);
}

void asnap_walk_check(struct asnap_walker *walker, const struct asnap_caller *caller)
{
    struct comparison comparison = {
        .walker = walker,
        .caller = caller,
        .place = asnap_walker_depth(walker),
    };
    int saved_errno = errno;
    _Unwind_Backtrace(visit, &comparison);
    __atomic_fetch_add(&compared, 1, __ATOMIC_RELAXED);
    bool cut = comparison.seen >= ASNAP_TABLE_FRAME_LIMIT_MAX || ended_at_call(&comparison);
    if (comparison.differs || (comparison.place != 0 && !cut)) {
        if (__atomic_fetch_add(&differing, 1, __ATOMIC_RELAXED) < DIFFERENCES_SHOWN)
            show(&comparison);
    } else if (!tree_agrees(walker)) {
        if (__atomic_fetch_add(&differing, 1, __ATOMIC_RELAXED) < DIFFERENCES_SHOWN)
            show_tree();
    }
    errno = saved_errno;
}

bool asnap_walk_check_into(const char *name)
{
    size_t length = strnlen(name, FILE_NAME_BYTES);
    if (length == FILE_NAME_BYTES || _Unwind_Backtrace == NULL)
        return false;
    memcpy(file_name, name, length);
    int file = open_file();
    if (file < 0) {
        file_name[0] = '\0';
        return false;
    }
    asnap_kernel_close(file);
    return true;
}

void asnap_walk_check_begin(void)
{
    asnap_walk_check_on = file_name[0] != '\0';
}

__attribute__((destructor)) static void report(void)
{
    if (!asnap_walk_check_on)
        return;
    struct line line = {.length = 0};
    add_number(&line, compared, 10);
    add_text(&line, " stacks compared with libgcc's, ");
    add_number(&line, differing, 10);
    add_text(&line, " differ");
    write_line(&line);
}
