/* What a child does to the table, told in memory that its parent sees too, and whether the table is
 * as told. */
#ifndef ASNAP_TEST_TABLE_STORY_H
#define ASNAP_TEST_TABLE_STORY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    STORY_BLOCKS = 2600,
    STORY_IDLE = -1,
    STORY_ALL = -2, /* the child clears the table */
};

struct table_story {
    volatile int32_t busy;                 /* the block the child is at, or one of the above */
    volatile uint64_t sizes[STORY_BLOCKS]; /* UINT64_MAX: not live */
    volatile uint32_t stacks[STORY_BLOCKS];
    volatile uint64_t new_size; /* of the block it is at, UINT64_MAX: to be removed */
    volatile uint32_t new_stack;
    uint64_t addresses[STORY_BLOCKS];
    uint32_t stack;
    uint64_t sample_period; /* 0: the table is of every block */
    bool is_watched;        /* limits are set */
    size_t threads_before;
    pid_t child;
    volatile int copy_status; /* as waitpid has it */
};

/* The one that is told, shared with children that are made after table_story_create. */
extern struct table_story *table_story;

/* Begins one of no blocks, which share a shard, so that this one grows; false: no memory. */
bool table_story_create(uint64_t sample_period, bool is_watched);
void table_story_destroy(void);

/* Inserts a block with the stack of now, also in place of one that is there. */
void table_story_insert(int block, uint64_t size);
void table_story_drop(int block);
/* As a resize that fails. */
void table_story_drop_and_put_back(int block);
/* Drops all blocks at once, of which only those from `first` on may be live. */
void table_story_clear(int first);
/* Of a story that is watched: limits so far above what there is, which the next blocks reach. */
void table_story_watch(uint64_t bytes, uint64_t blocks);
void table_story_add_module(void);
/* Makes the stack of now a new one, some also of a new module. */
void table_story_new_stack(unsigned number);
/* As if the calls came from a new thread. */
void table_story_be_another_thread(void);

/* Whether the table of a process is as the story says, but for what is under way. */
bool table_story_agrees(pid_t process);

#endif
