#include "pattern.h"

#include <stdlib.h>
#include <string.h>

#include "grow.h"
#include "utf8.h"

enum token_kind {
    TOKEN_CHARACTER,
    TOKEN_ANY,  /* ? */
    TOKEN_STAR, /* * */
    TOKEN_SET,  /* [seq] */
};

/* Of a set: the characters and ranges follow their set as tokens of their own. */
struct asnap_pattern_token {
    enum token_kind kind;
    uint32_t first; /* the character, or the first of a range */
    uint32_t last;
    size_t members; /* of a set: the tokens after it that are its ranges */
    bool negated;
};

/* The code points of a text that holds no more of them than `characters`. */
static size_t decode(const char *text, size_t size, uint32_t *characters)
{
    size_t count = 0;
    for (size_t i = 0; i < size; count++)
        i += asnap_utf8_decode_name(text + i, size - i, &characters[count]);
    return count;
}

/* tracemalloc._normalize_filename: the size of a name without the c of ".pyc". */
static size_t normalized_size(const char *name)
{
    size_t size = strlen(name);
    return size >= 4 && strcmp(name + size - 4, ".pyc") == 0 ? size - 1 : size;
}

/* The index of the ] that closes the set whose contents begin at `begin`, or
 * `count`. A ] at the very beginning is a member. */
static size_t find_set_end(const uint32_t *text, size_t begin, size_t count)
{
    size_t end = begin;
    if (end < count && text[end] == '!')
        end++;
    if (end < count && text[end] == ']')
        end++;
    while (end < count && text[end] != ']')
        end++;
    return end;
}

static void add_token(struct asnap_pattern *pattern, enum token_kind kind, uint32_t first,
                      uint32_t last)
{
    pattern->tokens[pattern->count++] =
        (struct asnap_pattern_token){.kind = kind, .first = first, .last = last};
}

/* Adds a set; `text` is what stands between its brackets. The oddities are those of
 * fnmatch.translate: a range is looked for from the third character after the last
 * one, one that is empty vanishes, and a ! counts as first after that. */
static void add_set(struct asnap_pattern *pattern, const uint32_t *text, size_t count)
{
    size_t set = pattern->count;
    bool at_start = true;
    add_token(pattern, TOKEN_SET, 0, 0);
    size_t next_dash = text[0] == '!' ? 2 : 1;
    for (size_t i = 0; i < count; i++) {
        bool is_range = i + 2 < count && i + 1 >= next_dash && text[i + 1] == '-';
        if (is_range) {
            next_dash = i + 4;
            if (text[i] > text[i + 2]) {
                i += 2;
                continue;
            }
        }
        if (at_start && text[i] == '!') {
            pattern->tokens[set].negated = true;
            is_range = false;
        } else {
            add_token(pattern, TOKEN_CHARACTER, text[i], is_range ? text[i + 2] : text[i]);
        }
        at_start = false;
        i += is_range ? 2 : 0;
    }
    pattern->tokens[set].members = pattern->count - set - 1;
}

static void compile(struct asnap_pattern *pattern, const uint32_t *text, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t end = text[i] == '[' ? find_set_end(text, i + 1, count) : count;
        if (text[i] == '*') {
            add_token(pattern, TOKEN_STAR, 0, 0);
        } else if (text[i] == '?') {
            add_token(pattern, TOKEN_ANY, 0, 0);
        } else if (end < count) {
            add_set(pattern, text + i + 1, end - i - 1);
            i = end;
        } else {
            add_token(pattern, TOKEN_CHARACTER, text[i], text[i]);
        }
    }
}

struct asnap_error *asnap_pattern_init(struct asnap_pattern *pattern, const char *text)
{
    size_t size = normalized_size(text);
    uint32_t *characters = calloc(size + 1, sizeof(*characters));
    struct asnap_pattern_token *tokens = calloc(size + 1, sizeof(*tokens));
    if (characters == NULL || tokens == NULL) {
        free(characters);
        free(tokens);
        return asnap_error_no_memory();
    }
    *pattern = (struct asnap_pattern){.tokens = tokens};
    compile(pattern, characters, decode(text, size, characters));
    free(characters);
    return NULL;
}

static bool set_matches(const struct asnap_pattern_token *set, uint32_t character)
{
    for (size_t i = 1; i <= set->members; i++) {
        if (set[i].first <= character && character <= set[i].last)
            return !set->negated;
    }
    return set->negated;
}

static bool token_matches(const struct asnap_pattern_token *token, uint32_t character)
{
    if (token->kind == TOKEN_SET)
        return set_matches(token, character);
    return token->kind == TOKEN_ANY || token->first == character;
}

/* A star takes as little as it can, and one character more each time that what
 * follows it does not match; only the last star has to be tried again. */
static bool match(const struct asnap_pattern *pattern, const uint32_t *name, size_t count)
{
    const struct asnap_pattern_token *end = pattern->tokens + pattern->count;
    const struct asnap_pattern_token *token = pattern->tokens;
    const struct asnap_pattern_token *after_star = NULL;
    size_t star_end = 0;
    for (size_t i = 0; i < count;) {
        if (token != end && token->kind == TOKEN_STAR) {
            after_star = ++token;
            star_end = i;
        } else if (token != end && token_matches(token, name[i])) {
            token += 1 + token->members;
            i++;
        } else if (after_star != NULL) {
            token = after_star;
            i = ++star_end;
        } else {
            return false;
        }
    }
    while (token != end && token->kind == TOKEN_STAR)
        token++;
    return token == end;
}

struct asnap_error *asnap_pattern_match(struct asnap_pattern *pattern, const char *name,
                                        bool *matches)
{
    size_t size = normalized_size(name);
    uint32_t *characters =
        asnap_grow(pattern->name, &pattern->name_capacity, size + 1, sizeof(*characters));
    if (characters == NULL)
        return asnap_error_no_memory();
    pattern->name = characters;
    *matches = match(pattern, characters, decode(name, size, characters));
    return NULL;
}

void asnap_pattern_deinit(struct asnap_pattern *pattern)
{
    free(pattern->tokens);
    free(pattern->name);
    *pattern = (struct asnap_pattern){0};
}
