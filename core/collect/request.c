/* Asking the hooks for something, by what a debugger writes into the root. */
#include <inttypes.h>
#include <string.h>

#include "error.h"
#include "request.h"
#include "table_root.h"

uint32_t asnap_request_raised(uint32_t asked, uint32_t obeyed)
{
    return asked + 1 == obeyed ? asked + 2 : asked + 1;
}

static struct asnap_error *check_start(const struct asnap_table_root *root,
                                       const struct asnap_start *start)
{
    if (start->frame_limit > ASNAP_TABLE_FRAME_LIMIT_MAX) {
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "%" PRIu32 " is not a number of frames: it is from 1 to %" PRIu32,
                                  start->frame_limit, ASNAP_TABLE_FRAME_LIMIT_MAX);
    }
    if (start->sets_period && start->sample_period > ASNAP_TABLE_SAMPLE_PERIOD_MAX) {
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "%" PRIu64
                                  " is not the period of a sample: it is from 1 to %" PRIu64
                                  " bytes, or 0 for every block",
                                  start->sample_period, ASNAP_TABLE_SAMPLE_PERIOD_MAX);
    }
    if (start->sets_period && start->sample_period != 0 &&
        root->version < ASNAP_TABLE_VERSION_SAMPLES) {
        return asnap_error_create(
            ASNAP_ERROR_VERSION,
            "the hooks in this process write table version %" PRIu32
            " and trace every block: a sample needs hooks of version %" PRIu32,
            root->version, ASNAP_TABLE_VERSION_SAMPLES);
    }
    return NULL;
}

static struct asnap_error *change(const struct asnap_table_root *root, enum asnap_request request,
                                  const struct asnap_start *start,
                                  struct asnap_table_control *control)
{
    struct asnap_error *error = check_start(root, start);
    if (error != NULL)
        return error;
    switch (request) {
    case ASNAP_REQUEST_START:
        control->tracing = 1;
        control->clear = asnap_request_raised(control->clear, root->applied.clear);
        if (start->frame_limit != 0)
            control->frame_limit = start->frame_limit;
        if (start->sets_period)
            control->sample_period = start->sample_period;
        return NULL;
    case ASNAP_REQUEST_STOP:
        control->tracing = 0;
        return NULL;
    case ASNAP_REQUEST_CLEAR:
        control->clear = asnap_request_raised(control->clear, root->applied.clear);
        return NULL;
    case ASNAP_REQUEST_RESET_PEAK:
        control->reset_peak = asnap_request_raised(control->reset_peak, root->applied.reset_peak);
        return NULL;
    }
    return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT, "asnap_request_prepare: no request %d",
                              (int)request);
}

void asnap_request_write(const struct asnap_table_root *root, uint64_t root_address,
                         const struct asnap_table_control *control,
                         struct asnap_write writes[ASNAP_REQUEST_WRITES])
{
    uint32_t sequence = asnap_request_raised(root->control.sequence, root->applied.sequence);
    uint64_t address = root_address + offsetof(struct asnap_table_root, control);
    const size_t fields = offsetof(struct asnap_table_control, tracing);
    writes[0].address = address + fields;
    writes[0].size = (root->version < ASNAP_TABLE_VERSION_SAMPLES
                          ? offsetof(struct asnap_table_control, reserved)
                          : sizeof(*control)) -
                     fields;
    memcpy(writes[0].bytes, (const char *)control + fields, writes[0].size);
    writes[1].address = address;
    writes[1].size = sizeof(sequence);
    memcpy(writes[1].bytes, &sequence, sizeof(sequence));
}

struct asnap_error *asnap_request_prepare(const struct asnap_memory *memory, uint64_t root_address,
                                          enum asnap_request request,
                                          const struct asnap_start *start,
                                          struct asnap_write writes[ASNAP_REQUEST_WRITES])
{
    struct asnap_table_root root;
    if (memory == NULL || writes == NULL) {
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "asnap_request_prepare: NULL argument");
    }
    struct asnap_error *error = asnap_root_read(memory, root_address, &root);
    if (error != NULL)
        return error;
    struct asnap_table_control control = asnap_root_asked(&root);
    static const struct asnap_start as_before;
    error = change(&root, request, start != NULL ? start : &as_before, &control);
    if (error != NULL)
        return error;
    asnap_request_write(&root, root_address, &control, writes);
    return NULL;
}
