#include "block_reach.h"

enum asnap_reach_class asnap_block_reach(const struct asnap_graph *graph,
                                         const struct asnap_trace *trace, uint32_t *next)
{
    struct asnap_graph_block_info info;
    if (graph == NULL)
        return ASNAP_REACH_UNKNOWN;
    if (*next < asnap_graph_block_count(graph)) {
        info = asnap_graph_block(graph, *next);
        if (info.trace.address == trace->address && info.trace.size == trace->size &&
            info.trace.domain == trace->domain && info.trace.traceback_id == trace->traceback_id) {
            ++*next;
            return info.reach;
        }
    }
    uint32_t block = asnap_graph_block_of(graph, trace);
    if (block == ASNAP_GRAPH_NO_BLOCK)
        return ASNAP_REACH_UNKNOWN;
    *next = block + 1;
    return asnap_graph_block(graph, block).reach;
}
