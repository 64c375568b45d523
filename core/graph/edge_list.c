#include "edge_list.h"

#include <stdlib.h>
#include <string.h>

#include "grow.h"

/* Edges of a piece. The first one grows up to it. */
#define PIECE ((size_t)1 << 21)

/* Puts the last piece, which is full, to those before. */
static bool begin_piece(struct asnap_edge_list *list)
{
    uint32_t **pieces = asnap_grow(list->pieces, &list->piece_capacity, list->piece_count + 1,
                                   sizeof(*list->pieces));
    if (pieces == NULL)
        return false;
    list->pieces = pieces;
    uint32_t *piece = asnap_in_huge_pages(malloc(PIECE * sizeof(*piece)), PIECE * sizeof(*piece));
    if (piece == NULL)
        return false;
    pieces[list->piece_count++] = list->last;
    list->count += list->last_count;
    list->last = piece;
    list->last_count = 0;
    list->last_capacity = PIECE;
    return true;
}

bool asnap_edge_list_extend(struct asnap_edge_list *list)
{
    if (list->last_count >= PIECE)
        return begin_piece(list);
    uint32_t *grown =
        asnap_grow(list->last, &list->last_capacity, list->last_count + 1, sizeof(*grown));
    if (grown == NULL)
        return false;
    list->last = grown;
    return true;
}

/* Gives back the room for edges that have not come. */
static uint32_t *shrink(struct asnap_edge_list *list)
{
    uint32_t *shrunk = realloc(list->last, (list->last_count + 1) * sizeof(*shrunk));
    if (shrunk != NULL) {
        list->last = shrunk;
        list->last_capacity = list->last_count;
    }
    return list->last;
}

uint32_t *asnap_edge_list_join(struct asnap_edge_list *list)
{
    uint32_t *last = shrink(list);
    if (list->piece_count == 0) {
        list->last = NULL;
        asnap_edge_list_deinit(list);
        return last;
    }
    size_t count = asnap_edge_list_count(list);
    uint32_t *joined = asnap_large_array(count, sizeof(*joined));
    if (joined == NULL)
        return NULL;
    size_t done = 0;
    for (size_t i = 0; i < list->piece_count; i++) {
        /* The first may have grown a little beyond. */
        size_t size = i == 0 ? list->count - (list->piece_count - 1) * PIECE : PIECE;
        memcpy(joined + done, list->pieces[i], size * sizeof(*joined));
        done += size;
        free(list->pieces[i]);
        list->pieces[i] = NULL;
    }
    memcpy(joined + done, last, list->last_count * sizeof(*joined));
    asnap_edge_list_deinit(list);
    return joined;
}

void asnap_edge_list_deinit(struct asnap_edge_list *list)
{
    for (size_t i = 0; i < list->piece_count; i++)
        free(list->pieces[i]);
    free(list->pieces);
    free(list->last);
    *list = (struct asnap_edge_list){0};
}
