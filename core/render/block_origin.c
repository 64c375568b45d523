#include "block_origin.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define NANOSECONDS UINT64_C(1000000000)

/* What the debugger calls the thread at a place; NULL where it does not know it. */
static const char *label_of(uint32_t place, const struct asnap_render_options *options)
{
    return options != NULL && place < options->thread_label_count ? options->thread_labels[place]
                                                                  : NULL;
}

/* "4711 (2 "worker")" */
static void write_thread(struct asnap_page *page, uint32_t thread, const char *label)
{
    asnap_page_number(page, thread);
    if (label == NULL)
        return;
    asnap_page_string(page, " (");
    asnap_page_name(page, label);
    asnap_page_string(page, ")");
}

/* "12.34" */
static void write_seconds(struct asnap_text *text, uint32_t time)
{
    char seconds[32];
    snprintf(seconds, sizeof(seconds), "%" PRIu32 ".%02" PRIu32, time / ASNAP_TIMES_PER_SECOND,
             time % ASNAP_TIMES_PER_SECOND);
    asnap_text_string(text, seconds);
}

/* The local time in a format of strftime that has no words in it. */
static void write_clock(struct asnap_page *page, const struct asnap_snapshot *snapshot,
                        uint32_t time, const char *format)
{
    /* Neither sum nor product can be too large: 584 years are, and 1.4 of them. */
    uint64_t start = asnap_snapshot_start_time(snapshot) / (NANOSECONDS / ASNAP_TIMES_PER_SECOND);
    time_t clock = (time_t)((start + time) / ASNAP_TIMES_PER_SECOND);
    struct tm parts;
    char text[64];
    if (localtime_r(&clock, &parts) == NULL || strftime(text, sizeof(text), format, &parts) == 0)
        return;
    asnap_page_string(page, text);
}

void asnap_origin_thread(struct asnap_page *page, struct asnap_bounds bounds)
{
    if (bounds.from == 0) {
        asnap_page_string(page, "unknown thread");
        return;
    }
    asnap_page_string(page, "thread ");
    write_thread(page, (uint32_t)bounds.from, label_of(bounds.thread, page->options));
}

void asnap_origin_fields(struct asnap_page *page, const struct asnap_snapshot *snapshot,
                         const struct asnap_trace *trace,
                         const struct asnap_render_options *options)
{
    uint32_t thread = asnap_snapshot_thread(snapshot, trace->thread);
    if (thread != 0) {
        asnap_page_string(page, ", thread=");
        write_thread(page, thread, label_of(trace->thread, options));
    }
    if (trace->time != ASNAP_TIME_UNKNOWN) {
        asnap_page_string(page, ", time=");
        write_seconds(&page->text, trace->time);
        asnap_page_string(page, " s (");
        write_clock(page, snapshot, trace->time, "%H:%M:%S");
        asnap_page_string(page, ")");
    }
}

void asnap_origin_line(struct asnap_page *page, const struct asnap_snapshot *snapshot,
                       const struct asnap_trace *trace, const struct asnap_render_options *options)
{
    uint32_t thread = asnap_snapshot_thread(snapshot, trace->thread);
    bool is_timed = trace->time != ASNAP_TIME_UNKNOWN;
    if (thread == 0 && !is_timed)
        return;
    asnap_page_string(page, "    ");
    if (thread != 0) {
        asnap_page_string(page, "by thread ");
        write_thread(page, thread, label_of(trace->thread, options));
        asnap_page_string(page, is_timed ? ", " : "");
    }
    if (is_timed) {
        write_seconds(&page->text, trace->time);
        asnap_page_string(page, " s after the start of the hooks, at ");
        write_clock(page, snapshot, trace->time, "%Y-%m-%d %H:%M:%S");
    }
    asnap_page_string(page, "\n");
}

void asnap_origin_ago(struct asnap_page *page, const struct asnap_trace *trace, uint32_t now)
{
    if (trace->time == ASNAP_TIME_UNKNOWN)
        return;
    asnap_page_string(page, " ");
    write_seconds(&page->text, now > trace->time ? now - trace->time : 0);
    asnap_page_string(page, " s ago");
}

void asnap_origin_json_ago(struct asnap_text *text, const char *name,
                           const struct asnap_trace *trace, uint32_t now)
{
    asnap_text_string(text, ",\"");
    asnap_text_string(text, name);
    asnap_text_string(text, "\":");
    if (trace->time != ASNAP_TIME_UNKNOWN)
        write_seconds(text, now > trace->time ? now - trace->time : 0);
    else
        asnap_text_string(text, "null");
}

static void write_json_thread(struct asnap_text *text, uint32_t thread, uint32_t place,
                              const struct asnap_render_options *options)
{
    asnap_text_string(text, ",\"thread\":");
    if (thread != 0)
        asnap_text_number(text, thread);
    else
        asnap_text_string(text, "null");
    asnap_text_string(text, ",\"thread_label\":");
    asnap_text_json_string(text, thread != 0 ? label_of(place, options) : NULL);
}

void asnap_origin_json_thread(struct asnap_text *text, struct asnap_bounds bounds,
                              const struct asnap_render_options *options)
{
    write_json_thread(text, (uint32_t)bounds.from, bounds.thread, options);
}

void asnap_origin_json(struct asnap_text *text, const struct asnap_snapshot *snapshot,
                       const struct asnap_trace *trace, const struct asnap_render_options *options)
{
    write_json_thread(text, asnap_snapshot_thread(snapshot, trace->thread), trace->thread, options);
    asnap_text_string(text, ",\"time\":");
    if (trace->time != ASNAP_TIME_UNKNOWN)
        write_seconds(text, trace->time);
    else
        asnap_text_string(text, "null");
}

void asnap_origin_json_start(struct asnap_text *text, const struct asnap_snapshot *snapshot)
{
    uint64_t start = asnap_snapshot_start_time(snapshot);
    char seconds[32] = "null";
    if (start != 0)
        snprintf(seconds, sizeof(seconds), "%" PRIu64 ".%09" PRIu64, start / NANOSECONDS,
                 start % NANOSECONDS);
    asnap_text_string(text, ",\"start\":");
    asnap_text_string(text, seconds);
}
