#include "report_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "test_model_dump.h"

const char *report_page_path(void)
{
    static char made[64];
    if (made[0] == '\0') {
        static const char page[] = REPORT_PAGE_HEAD "<!--allocsnap data-->" REPORT_PAGE_TAIL;
        snprintf(made, sizeof(made), "%s", dump_path("page.html"));
        dump_write(made, page, sizeof(page) - 1);
    }
    return made;
}

void report_page_deinit(struct report_page *page)
{
    free(page->text);
    free(page->data);
    *page = (struct report_page){0};
}

static int value_of(char letter)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = strchr(letters, letter);
    return found == NULL || letter == '\0' ? -1 : (int)(found - letters);
}

/* Decodes lines of base64; returns how many bytes they are. */
static size_t decode(const char *text, size_t length, unsigned char *bytes)
{
    size_t size = 0;
    uint32_t bits = 0;
    int count = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\n' || text[i] == '=')
            continue;
        int value = value_of(text[i]);
        CU_ASSERT_FATAL(value >= 0);
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes[size++] = (unsigned char)(bits >> count);
        }
    }
    return size;
}

void report_page_read(const char *path, struct report_page *page)
{
    static const char before[] =
        REPORT_PAGE_HEAD "<script type=\"application/octet-stream\" id=\"allocsnap-data\">\n";
    static const char after[] = "</script>" REPORT_PAGE_TAIL;
    size_t head = sizeof(before) - 1;
    size_t tail = sizeof(after) - 1;
    page->text = (char *)dump_bytes(path, &page->size);
    CU_ASSERT_FATAL(page->size > head + tail);
    CU_ASSERT_EQUAL_FATAL(strncmp(page->text, before, head), 0);
    CU_ASSERT_EQUAL_FATAL(memcmp(page->text + page->size - tail, after, tail), 0);
    unsigned char *packed = malloc(page->size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(packed);
    size_t packed_size = decode(page->text + head, page->size - head - tail, packed);
    uLongf size = (uLongf)1 << 24;
    page->data = malloc(size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(page->data);
    CU_ASSERT_EQUAL_FATAL(uncompress(page->data, &size, packed, packed_size), Z_OK);
    page->data_size = size;
    free(packed);
    CU_ASSERT_EQUAL_FATAL(memcmp(page->data, "ASNAPREP\1\0\0\0\0\0\0\0", 16), 0);
}

/* The width, count and first byte of a section; NULL where there is none. */
static const unsigned char *look_up(const struct report_page *page, const char *tag,
                                    uint32_t *width, uint64_t *count)
{
    for (size_t at = 16; at + 16 <= page->data_size;) {
        memcpy(width, page->data + at + 4, 4);
        memcpy(count, page->data + at + 8, 8);
        CU_ASSERT_FATAL(*width == 1 || *width == 2 || *width == 4);
        CU_ASSERT_FATAL(*count * *width <= page->data_size - at - 16);
        if (memcmp(page->data + at, tag, 4) == 0)
            return page->data + at + 16;
        at += 16 + (*count * *width + 7) / 8 * 8;
    }
    return NULL;
}

bool report_page_has(const struct report_page *page, const char *tag)
{
    uint32_t width;
    uint64_t count;
    return look_up(page, tag, &width, &count) != NULL;
}

static const unsigned char *find(const struct report_page *page, const char *tag, uint32_t *width,
                                 uint64_t *count)
{
    const unsigned char *found = look_up(page, tag, width, count);
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    return found;
}

size_t report_page_count(const struct report_page *page, const char *tag)
{
    uint32_t width;
    uint64_t count;
    find(page, tag, &width, &count);
    return count;
}

uint64_t report_page_number(const struct report_page *page, const char *tag, size_t index)
{
    uint32_t width;
    uint64_t count;
    uint64_t number = 0;
    const unsigned char *first = find(page, tag, &width, &count);
    CU_ASSERT_FATAL(index < count);
    memcpy(&number, first + index * width, width);
    return number;
}

const char *report_page_string(const struct report_page *page, uint64_t id)
{
    static char texts[4][1024];
    static size_t next;
    uint32_t width;
    uint64_t count;
    uint64_t start = 0;
    for (uint64_t i = 0; i < id; i++)
        start += report_page_number(page, "strl", i);
    uint64_t length = report_page_number(page, "strl", id);
    const unsigned char *first = find(page, "strb", &width, &count);
    CU_ASSERT_FATAL(start + length <= count && length < sizeof(texts[0]));
    next = (next + 1) % 4;
    memcpy(texts[next], first + start, length);
    texts[next][length] = '\0';
    return texts[next];
}
