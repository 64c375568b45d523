#include "dwarf_entry_names.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "function_name.h"
#include "grow.h"
#include "problem.h"

/* As in dwarf_names.c. */
#define REFERENCES_MAX 8

/* A name that is being written. */
struct writing {
    struct asnap_entry_names *names;
    char *text;
    size_t length;
    size_t capacity;
    unsigned depth;
    bool is_known;
    bool is_whole;     /* parts are written with template arguments */
    bool is_of_type;   /* functions are no parts */
    bool is_in_lambda; /* what follows is within another one */
};

/* What an entry says, and where it is. */
struct subject {
    uint64_t offset;
    enum asnap_entry_kind kind;
    struct asnap_declaration declaration;
    const char *name;
    uint64_t unit;
};

static bool begins(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

static bool is_call(const char *name)
{
    return name != NULL && begins(name, "operator()");
}

bool asnap_may_be_lambda(const char *name, const char *readable)
{
    if (name == NULL ||
        !(is_call(name) || strcmp(name, "_FUN") == 0 || strcmp(name, "__invoke") == 0))
        return false;
    return readable == NULL || strstr(readable, "{lambda(") != NULL ||
           strstr(readable, "$_") != NULL;
}

void asnap_entry_names_deinit(struct asnap_entry_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->parents[i].offsets);
    free(names->parents);
    names->parents = NULL;
    names->count = names->capacity = 0;
}

/* ---- the way to an entry ---- */

static struct asnap_error *add_child(struct asnap_entry_children *children, uint64_t offset)
{
    uint64_t *offsets =
        asnap_grow(children->offsets, &children->capacity, children->count + 1, sizeof(*offsets));
    if (offsets == NULL)
        return asnap_error_no_memory();
    children->offsets = offsets;
    offsets[children->count++] = offset;
    return NULL;
}

/* The entry at an offset, by the information that it is in, whose offsets lack `mark`. */
static struct asnap_error *entry_at(const struct asnap_entry_names *names, uint64_t offset,
                                    struct asnap_entry *entry, struct asnap_dwarf **dwarf,
                                    uint64_t *mark)
{
    *mark = offset & ASNAP_ENTRY_SUPPLEMENT;
    *dwarf = *mark != 0 ? asnap_dwarf_supplement(names->dwarf) : names->dwarf;
    return asnap_entry_at(*dwarf, offset & ~ASNAP_ENTRY_SUPPLEMENT, entry);
}

static struct asnap_error *list_children(const struct asnap_entry_names *names, uint64_t parent,
                                         struct asnap_entry_children *children)
{
    struct asnap_dwarf *dwarf;
    uint64_t mark;
    struct asnap_entry entry = {0};
    struct asnap_entry child = {0};
    struct asnap_error *error = entry_at(names, parent, &entry, &dwarf, &mark);
    if (error == NULL)
        error = asnap_entry_child(dwarf, &entry, &child);
    while (error == NULL && child.handle != NULL) {
        struct asnap_entry next = {0};
        error = add_child(children, child.offset | mark);
        if (error == NULL)
            error = asnap_entry_sibling(dwarf, &child, &next);
        asnap_entry_release(dwarf, &child);
        child = next;
    }
    asnap_entry_release(dwarf, &child);
    asnap_entry_release(dwarf, &entry);
    return error;
}

/* The place of the first parent that is not below `offset`. */
static size_t place_of(const struct asnap_entry_names *names, uint64_t offset)
{
    size_t low = 0;
    size_t high = names->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (names->parents[middle].parent < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* `found` is good until the next call. */
static struct asnap_error *children_of(struct asnap_entry_names *names, uint64_t parent,
                                       const struct asnap_entry_children **found)
{
    size_t place = place_of(names, parent);
    if (place < names->count && names->parents[place].parent == parent) {
        *found = &names->parents[place];
        return NULL;
    }
    struct asnap_entry_children *parents =
        asnap_grow(names->parents, &names->capacity, names->count + 1, sizeof(*parents));
    if (parents == NULL)
        return asnap_error_no_memory();
    names->parents = parents;
    struct asnap_entry_children children = {.parent = parent};
    struct asnap_error *error = list_children(names, parent, &children);
    if (error != NULL) {
        free(children.offsets);
        return error;
    }
    memmove(&parents[place + 1], &parents[place], (names->count - place) * sizeof(*parents));
    parents[place] = children;
    names->count++;
    *found = &parents[place];
    return NULL;
}

/* The last child that begins at or before `offset`; 0: none. An entry lies behind its parent, and
 * before that one's next sibling. */
static uint64_t child_around(const struct asnap_entry_children *children, uint64_t offset)
{
    size_t low = 0;
    size_t high = children->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (children->offsets[middle] <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? 0 : children->offsets[low - 1];
}

/* Reads an entry, with the name and place of what it refers to at last. */
static struct asnap_error *read_subject(const struct asnap_entry_names *names, uint64_t offset,
                                        struct subject *subject)
{
    *subject = (struct subject){.offset = offset};
    for (int i = 0; i < REFERENCES_MAX; i++) {
        struct asnap_dwarf *dwarf;
        uint64_t mark;
        struct asnap_entry entry = {0};
        struct asnap_entry_name name;
        struct asnap_error *error = entry_at(names, subject->offset, &entry, &dwarf, &mark);
        if (error != NULL || entry.handle == NULL)
            return error;
        uint32_t line = subject->declaration.line;
        asnap_entry_name(dwarf, &entry, &name);
        asnap_entry_declaration(dwarf, &entry, &subject->declaration);
        /* What describes a type of a type unit in brief has no lines. */
        if (subject->declaration.line == 0)
            subject->declaration.line = line;
        if (subject->name == NULL)
            subject->name = name.name;
        if (!name.refers) {
            subject->kind = entry.kind;
            subject->unit = asnap_entry_unit(dwarf, &entry) | mark;
        }
        asnap_entry_release(dwarf, &entry);
        if (!name.refers)
            return NULL;
        subject->offset = name.origin | mark;
    }
    return NULL;
}

/* Finds the entry around another, blocks aside; 0: it is in the unit itself, or not known. */
static struct asnap_error *find_parent(struct asnap_entry_names *names,
                                       const struct subject *subject, uint64_t *parent)
{
    *parent = 0;
    uint64_t at = subject->unit;
    for (int i = 0; i < ASNAP_ENTRY_DEPTH_MAX && at != 0 && at < subject->offset; i++) {
        const struct asnap_entry_children *children;
        struct asnap_dwarf *dwarf;
        uint64_t mark;
        struct asnap_entry entry = {0};
        struct asnap_error *error = entry_at(names, at, &entry, &dwarf, &mark);
        if (error != NULL || entry.handle == NULL)
            return error;
        if (entry.kind == ASNAP_ENTRY_FUNCTION || asnap_entry_is_space(entry.kind))
            *parent = at;
        asnap_entry_release(dwarf, &entry);
        error = children_of(names, at, &children);
        if (error != NULL)
            return error;
        at = child_around(children, subject->offset);
    }
    return NULL;
}

struct asnap_error *asnap_unit_has_types(struct asnap_entry_names *names, uint64_t unit,
                                         bool *has_types)
{
    const struct asnap_entry_children *children = NULL;
    struct asnap_error *error = NULL;
    bool is_known = names->typed_unit == unit;
    bool found = false;
    if (!is_known)
        error = children_of(names, unit, &children);
    for (size_t i = 0; !is_known && error == NULL && !found && i < children->count; i++) {
        struct asnap_entry entry = {0};
        struct asnap_dwarf *dwarf;
        uint64_t mark;
        error = entry_at(names, children->offsets[i], &entry, &dwarf, &mark);
        found = entry.kind == ASNAP_ENTRY_TYPE || entry.kind == ASNAP_ENTRY_POINTER;
        if (error == NULL)
            asnap_entry_release(dwarf, &entry);
    }
    if (error != NULL)
        return error;
    if (!is_known) {
        names->typed_unit = unit;
        names->has_types = found;
    }
    *has_types = names->has_types;
    return NULL;
}

/* ---- names ---- */

static struct asnap_error *append_part(struct writing *writing, const char *part)
{
    size_t size = strlen(part);
    char *text = asnap_grow(writing->text, &writing->capacity, writing->length + size + 3, 1);
    if (text == NULL)
        return asnap_error_no_memory();
    writing->text = text;
    if (writing->length > 0) {
        memcpy(text + writing->length, "::", 2);
        writing->length += 2;
    }
    memcpy(text + writing->length, part, size + 1);
    writing->length += size;
    return NULL;
}

static struct asnap_error *append_short(struct writing *writing, const char *name)
{
    char *shortened = malloc(strlen(name) + 1);
    if (shortened == NULL)
        return asnap_error_no_memory();
    asnap_function_shorten(name, shortened);
    struct asnap_error *error = append_part(writing, shortened);
    free(shortened);
    return error;
}

/* Whether a class without a name is that of a lambda: gcc calls the function that is called
 * artificial; clang makes it a class, where one that is written without a name is nearly always a
 * structure. */
static struct asnap_error *is_lambda(struct asnap_entry_names *names, const struct subject *subject,
                                     bool *is)
{
    const struct asnap_entry_children *children;
    struct asnap_error *error = children_of(names, subject->offset, &children);
    *is = false;
    for (size_t i = 0; error == NULL && !*is && i < children->count; i++) {
        struct asnap_entry entry = {0};
        struct asnap_entry_name name;
        struct asnap_declaration declaration;
        struct asnap_dwarf *dwarf;
        uint64_t mark;
        error = entry_at(names, children->offsets[i], &entry, &dwarf, &mark);
        if (error != NULL || entry.handle == NULL)
            break;
        asnap_entry_name(dwarf, &entry, &name);
        asnap_entry_declaration(dwarf, &entry, &declaration);
        *is = entry.kind == ASNAP_ENTRY_FUNCTION && is_call(name.name) &&
              (declaration.is_artificial || subject->declaration.is_class);
        asnap_entry_release(dwarf, &entry);
    }
    return error;
}

/* Appends the name of what the entry at `offset` stands for, behind those around it, up to the
 * first lambda among them. */
static struct asnap_error *write_entry(struct writing *writing, uint64_t offset)
{
    struct subject subject;
    uint64_t parent = 0;
    struct asnap_error *error = read_subject(writing->names, offset, &subject);
    if (error == NULL)
        error = find_parent(writing->names, &subject, &parent);
    writing->is_known = error == NULL && ++writing->depth < ASNAP_ENTRY_DEPTH_MAX;
    if (writing->is_known && parent != 0)
        error = write_entry(writing, parent);
    if (error != NULL || !writing->is_known || writing->is_in_lambda)
        return error;
    bool is_space = asnap_entry_is_space(subject.kind);
    if (writing->is_of_type && subject.kind == ASNAP_ENTRY_FUNCTION)
        return NULL;
    bool is_type = subject.kind == ASNAP_ENTRY_TYPE || subject.kind == ASNAP_ENTRY_ALIAS;
    if (subject.name != NULL &&
        ((writing->is_of_type && is_type) || is_space || subject.kind == ASNAP_ENTRY_FUNCTION))
        return writing->is_whole ? append_part(writing, subject.name)
                                 : append_short(writing, subject.name);
    if (subject.declaration.is_namespace)
        return append_part(writing, "(anonymous namespace)");
    if (is_space)
        error = is_lambda(writing->names, &subject, &writing->is_in_lambda);
    writing->is_known = writing->is_in_lambda;
    return error;
}

/* How much of a linkage name is around the lambda at `lambda` of it: without the variable that one
 * initialises, which compilers put before its number. */
static size_t length_around(const char *readable, const char *lambda)
{
    if (lambda == readable)
        return 0;
    const char *end = lambda - 2;
    if (*lambda == '$')
        return (size_t)(end - readable);
    ptrdiff_t brackets = 0;
    const char *last = end;
    for (; last > readable; last--) {
        brackets += (last[-1] == ')' || last[-1] == '>') - (last[-1] == '(' || last[-1] == '<');
        if (brackets == 0 && last - readable > 2 && last[-1] == ':' && last[-2] == ':')
            break;
    }
    if (memchr(last, '(', (size_t)(end - last)) != NULL)
        return (size_t)(end - readable);
    return last == readable ? 0 : (size_t)(last - readable) - 2;
}

/* Appends what the linkage name has before its first lambda, where the entries do not say what is
 * around it: clang 14 puts classes of inlined functions into an entry that says nothing. */
static struct asnap_error *append_from_readable(struct writing *writing, const char *readable)
{
    ptrdiff_t brackets = 0;
    writing->is_known = false;
    writing->length = 0;
    for (const char *at = readable; *at != '\0'; at++) {
        bool is_start = at == readable || (at - readable > 2 && at[-1] == ':' && at[-2] == ':');
        if (is_start && brackets == 0 && (begins(at, "{lambda(") || begins(at, "$_"))) {
            writing->is_known = true;
            size_t length = length_around(readable, at);
            char *before = length == 0 ? NULL : strndup(readable, length);
            struct asnap_error *error = NULL;
            if (before != NULL)
                error = append_short(writing, before);
            else if (length > 0)
                error = asnap_error_no_memory();
            free(before);
            return error;
        }
        brackets += (*at == '(' || *at == '<') - (*at == ')' || *at == '>');
    }
    return NULL;
}

static struct asnap_error *write_lambda(struct writing *writing, uint64_t offset,
                                        const char *readable)
{
    struct subject function;
    struct subject class = {0};
    uint64_t parent = 0;
    bool is = false;
    char part[48];
    struct asnap_error *error = read_subject(writing->names, offset, &function);
    if (error == NULL)
        error = find_parent(writing->names, &function, &parent);
    if (error == NULL && parent != 0)
        error = read_subject(writing->names, parent, &class);
    if (error == NULL && parent != 0 && asnap_entry_is_space(class.kind) && class.name == NULL &&
        !class.declaration.is_namespace)
        error = is_lambda(writing->names, &class, &is);
    /* A class that is described in a type unit has no line here, but its functions do. */
    uint32_t line =
        class.declaration.line != 0 ? class.declaration.line : function.declaration.line;
    if (error != NULL || !is || line == 0)
        return error;
    writing->is_known = true;
    error = find_parent(writing->names, &class, &parent);
    if (error == NULL && parent != 0)
        error = write_entry(writing, parent);
    if (error == NULL && !writing->is_known && readable != NULL)
        error = append_from_readable(writing, readable);
    if (error != NULL || !writing->is_known)
        return error;
    snprintf(part, sizeof(part), "{lambda at line %" PRIu32 "}", line);
    error = append_part(writing, part);
    return error != NULL || is_call(function.name) ? error : append_part(writing, function.name);
}

/* Takes the text of what was written, which ended with `error`. */
static struct asnap_error *take(struct writing *writing, struct asnap_error *error, char **name)
{
    struct asnap_error *problem = NULL;
    error = asnap_problem_keep(error, &problem);
    bool is_good = error == NULL && problem == NULL && writing->is_known;
    asnap_error_destroy(problem);
    if (!is_good) {
        free(writing->text);
        writing->text = NULL;
    }
    if (error == NULL)
        *name = writing->text;
    return error;
}

struct asnap_error *asnap_lambda_name(struct asnap_entry_names *names, uint64_t offset,
                                      const char *readable, char **name)
{
    struct writing writing = {.names = names};
    return take(&writing, write_lambda(&writing, offset, readable), name);
}

struct asnap_error *asnap_qualified_name(struct asnap_entry_names *names, uint64_t offset,
                                         char **name)
{
    struct writing writing = {.names = names, .is_whole = true};
    struct subject subject;
    struct asnap_error *error = read_subject(names, offset, &subject);
    if (error == NULL && !subject.declaration.is_external)
        error = write_entry(&writing, offset);
    writing.is_known = writing.is_known && !writing.is_in_lambda;
    return take(&writing, error, name);
}

struct asnap_error *asnap_qualified_type(struct asnap_entry_names *names, uint64_t offset,
                                         char **name)
{
    struct writing writing = {.names = names, .is_whole = true, .is_of_type = true};
    struct asnap_error *error = write_entry(&writing, offset);
    writing.is_known = writing.is_known && !writing.is_in_lambda;
    return take(&writing, error, name);
}
