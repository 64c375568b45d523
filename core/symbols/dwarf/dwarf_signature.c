#include "dwarf_signature.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bounded_demangle.h"
#include "dwarf_calls.h"
#include "error.h"
#include "function_name.h"
#include "grow.h"
#include "problem.h"

/* As in dwarf_types.c: types of types. */
#define STEPS_MAX 16
#define REFERENCES_MAX 8

/* What stands behind the name of a type: "* const&", or " (*)(int)". */
#define DECLARATOR_MAX 256

/* Numbers that gcc spells in names of another way than the demangler. Longer ones come first. */
static const char *const spellings[][2] = {
    {"long long unsigned int", "unsigned long long"}, {"long long int", "long long"},
    {"long unsigned int", "unsigned long"},           {"long int", "long"},
    {"short unsigned int", "unsigned short"},         {"short int", "short"},
    {"__int128 unsigned", "unsigned __int128"},
};

struct text {
    char *bytes; /* NULL: empty */
    size_t length;
    size_t capacity;
};

struct writing {
    struct asnap_entry_names *names;
    const char *references; /* what comes behind: "", " &" or " &&" */
    bool is_at_end; /* the function's entry refers to no other, which may say what it returns */
    bool is_whole;  /* each type could be written */
    bool has_parameters; /* one was met, if only a member function's hidden one */
};

static struct asnap_error *append(struct text *text, const char *piece)
{
    size_t size = strlen(piece);
    char *bytes = asnap_grow(text->bytes, &text->capacity, text->length + size + 1, 1);
    if (bytes == NULL)
        return asnap_error_no_memory();
    text->bytes = bytes;
    memcpy(bytes + text->length, piece, size + 1);
    text->length += size;
    return NULL;
}

static bool is_word(char character)
{
    return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'z') ||
           (character >= 'A' && character <= 'Z') || character == '_';
}

/* The spelling of the number at `at`, which is at the start of a word; NULL: there is none. */
static const char *const *spelling_at(const char *at)
{
    for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
        size_t length = strlen(spellings[i][0]);
        if (strncmp(at, spellings[i][0], length) == 0 && !is_word(at[length]))
            return spellings[i];
    }
    return NULL;
}

/* Appends a DW_AT_name, with the numbers in it as the demangler spells them. */
static struct asnap_error *append_name(struct text *text, const char *name)
{
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && name[i] != '\0';) {
        bool is_start = i == 0 || !is_word(name[i - 1]);
        const char *const *spelling = is_start ? spelling_at(name + i) : NULL;
        char single[2] = {name[i], '\0'};
        error = append(text, spelling == NULL ? single : spelling[1]);
        i += spelling == NULL ? 1 : strlen(spelling[0]);
    }
    return error;
}

/* ---- entries ---- */

/* An entry that may be of the supplementary file. */
struct place {
    struct asnap_dwarf *dwarf;
    uint64_t mark;
    struct asnap_entry entry;
};

static struct asnap_error *go(const struct writing *writing, uint64_t offset, struct place *place)
{
    *place = (struct place){.mark = offset & ASNAP_ENTRY_SUPPLEMENT};
    place->dwarf =
        place->mark != 0 ? asnap_dwarf_supplement(writing->names->dwarf) : writing->names->dwarf;
    return asnap_entry_at(place->dwarf, offset & ~ASNAP_ENTRY_SUPPLEMENT, &place->entry);
}

static void leave(struct place *place)
{
    asnap_entry_release(place->dwarf, &place->entry);
}

/* Goes to the next child, or the first. */
static struct asnap_error *step(struct place *child, const struct place *parent)
{
    struct asnap_entry next = {0};
    struct asnap_error *error = child->entry.handle == NULL
                                    ? asnap_entry_child(parent->dwarf, &parent->entry, &next)
                                    : asnap_entry_sibling(parent->dwarf, &child->entry, &next);
    leave(child);
    child->entry = next;
    return error;
}

/* The type of an entry; false: it says none, which of a function or pointer means void, or one that
 * is out of reach. */
static bool type_of(const struct place *place, uint64_t *type)
{
    if (!asnap_entry_type(place->dwarf, &place->entry, type))
        return false;
    *type |= place->mark;
    return true;
}

/* ---- types ---- */

static struct asnap_error *write_parameters(struct writing *writing, const struct place *function,
                                            unsigned steps, struct text *text);

/* Writes the name of a type that has one, or "?". */
static struct asnap_error *write_named(struct writing *writing, uint64_t offset,
                                       const char *declarator, struct text *text)
{
    char *name = NULL;
    struct asnap_error *error = asnap_qualified_type(writing->names, offset, &name);
    if (error == NULL)
        error = append_name(text, name == NULL ? "?" : name);
    if (error == NULL)
        error = append(text, declarator);
    writing->is_whole = writing->is_whole && name != NULL;
    free(name);
    return error;
}

/* What a step adds before the declarator; NULL: the entry is no such step. */
static const char *modifier(enum asnap_entry_kind kind)
{
    switch (kind) {
    case ASNAP_ENTRY_POINTER:
        return "*";
    case ASNAP_ENTRY_REFERENCE:
        return "&";
    case ASNAP_ENTRY_RVALUE_REFERENCE:
        return "&&";
    case ASNAP_ENTRY_CONST:
        return " const";
    case ASNAP_ENTRY_VOLATILE:
        return " volatile";
    case ASNAP_ENTRY_ALIAS:
        return "";
    default:
        return NULL;
    }
}

/* Puts a modifier before a declarator; false: there is no room. */
static bool put_before(const char *added, char declarator[DECLARATOR_MAX])
{
    static const char constant[] = " const";
    char made[DECLARATOR_MAX];
    bool is_behind =
        strcmp(added, " volatile") == 0 && strncmp(declarator, constant, sizeof(constant) - 1) == 0;
    int length = is_behind ? snprintf(made, sizeof(made), "%s%s%s", constant, added,
                                      declarator + sizeof(constant) - 1)
                           : snprintf(made, sizeof(made), "%s%s", added, declarator);
    if (length < 0 || (size_t)length >= sizeof(made))
        return false;
    memcpy(declarator, made, (size_t)length + 1);
    return true;
}

/* Has the declarator be that of a function of the type at `place`: " (*)(int)". */
static struct asnap_error *put_function(struct writing *writing, const struct place *place,
                                        unsigned steps, char declarator[DECLARATOR_MAX], bool *fits)
{
    char made[DECLARATOR_MAX];
    struct text parameters = {0};
    struct asnap_error *error = write_parameters(writing, place, steps + 1, &parameters);
    if (error == NULL) {
        int length = snprintf(made, sizeof(made), " (%s)%s", declarator,
                              parameters.bytes == NULL ? "" : parameters.bytes);
        *fits = length >= 0 && (size_t)length < sizeof(made);
        if (*fits)
            memcpy(declarator, made, (size_t)length + 1);
    }
    free(parameters.bytes);
    return error;
}

/* Writes a type with what stands behind its name. `is_void`: there is no type. */
static struct asnap_error *write_type(struct writing *writing, bool is_void, uint64_t offset,
                                      unsigned steps, struct text *text)
{
    char declarator[DECLARATOR_MAX] = "";
    bool fits = true;
    for (; !is_void && fits && steps < STEPS_MAX; steps++) {
        struct place place;
        struct asnap_error *error = go(writing, offset, &place);
        if (error != NULL)
            return error;
        enum asnap_entry_kind kind = place.entry.kind;
        const char *added = modifier(kind);
        uint64_t next = offset;
        if (kind == ASNAP_ENTRY_FUNCTION_TYPE)
            error = put_function(writing, &place, steps, declarator, &fits);
        else if (added != NULL)
            fits = put_before(added, declarator);
        bool ends =
            place.entry.handle == NULL || (added == NULL && kind != ASNAP_ENTRY_FUNCTION_TYPE);
        bool has_next = !ends && type_of(&place, &next);
        bool is_lost = !ends && !has_next && asnap_entry_has_type(place.dwarf, &place.entry);
        is_void = !ends && !has_next && !is_lost;
        fits = fits && !is_lost;
        leave(&place);
        if (error != NULL)
            return error;
        if (ends && (kind == ASNAP_ENTRY_CLASS || kind == ASNAP_ENTRY_TYPE))
            return write_named(writing, offset, declarator, text);
        fits = fits && !ends;
        offset = next;
    }
    bool is_known = is_void && fits;
    writing->is_whole = writing->is_whole && is_known;
    struct asnap_error *error = append(text, is_known ? "void" : "?");
    return error == NULL && is_known ? append(text, declarator) : error;
}

/* Writes the type of a parameter, whose own const is not part of what the function is. */
static struct asnap_error *write_parameter(struct writing *writing, const struct place *parameter,
                                           unsigned steps, struct text *text)
{
    uint64_t offset = 0;
    bool has_type = type_of(parameter, &offset);
    for (unsigned i = 0; has_type && i < STEPS_MAX; i++) {
        struct place place;
        uint64_t next = 0;
        struct asnap_error *error = go(writing, offset, &place);
        if (error != NULL)
            return error;
        bool is_own =
            place.entry.kind == ASNAP_ENTRY_CONST || place.entry.kind == ASNAP_ENTRY_VOLATILE;
        bool has_next = is_own && type_of(&place, &next);
        leave(&place);
        if (!has_next)
            break;
        offset = next;
    }
    if (has_type)
        return write_type(writing, false, offset, steps, text);
    writing->is_whole = false;
    return append(text, "?");
}

/* ---- functions ---- */

/* What comes behind the parameters of a member function, by the type of the object's pointer. */
static struct asnap_error *write_object(const struct writing *writing,
                                        const struct place *parameter, struct text *text)
{
    uint64_t offset;
    bool has_type = type_of(parameter, &offset);
    bool is_behind = false;
    const char *found[2] = {"", ""};
    for (unsigned i = 0; has_type && i < STEPS_MAX; i++) {
        struct place place;
        struct asnap_error *error = go(writing, offset, &place);
        if (error != NULL)
            return error;
        enum asnap_entry_kind kind = place.entry.kind;
        if (is_behind && kind == ASNAP_ENTRY_CONST)
            found[0] = " const";
        if (is_behind && kind == ASNAP_ENTRY_VOLATILE)
            found[1] = " volatile";
        has_type = (kind == ASNAP_ENTRY_CONST || kind == ASNAP_ENTRY_VOLATILE ||
                    (kind == ASNAP_ENTRY_POINTER && !is_behind)) &&
                   type_of(&place, &offset);
        is_behind = is_behind || kind == ASNAP_ENTRY_POINTER;
        leave(&place);
    }
    struct asnap_error *error = append(text, found[0]);
    return error != NULL ? error : append(text, found[1]);
}

static bool is_artificial(const struct place *place)
{
    struct asnap_declaration declaration;
    asnap_entry_declaration(place->dwarf, &place->entry, &declaration);
    return declaration.is_artificial;
}

/* A list of parameters, while it is written. */
struct list {
    struct text *text;
    struct text behind; /* what follows it: " const" */
    unsigned count;
};

/* Writes the parameters below an entry; those of a pack are below an entry of its own. */
static struct asnap_error *write_list(struct writing *writing, const struct place *parent,
                                      unsigned steps, struct list *list)
{
    struct place child = {.dwarf = parent->dwarf, .mark = parent->mark};
    struct asnap_error *error = step(&child, parent);
    while (error == NULL && child.entry.handle != NULL) {
        enum asnap_entry_kind kind = child.entry.kind;
        bool is_hidden = kind == ASNAP_ENTRY_PARAMETER && is_artificial(&child);
        bool is_written =
            kind == ASNAP_ENTRY_ELLIPSIS || (kind == ASNAP_ENTRY_PARAMETER && !is_hidden);
        writing->has_parameters = writing->has_parameters || is_hidden || is_written;
        if (is_hidden && list->count == 0 && list->behind.bytes == NULL)
            error = write_object(writing, &child, &list->behind);
        if (is_written && list->count++ > 0)
            error = append(list->text, ", ");
        if (error == NULL && kind == ASNAP_ENTRY_ELLIPSIS)
            error = append(list->text, "...");
        else if (error == NULL && is_written)
            error = write_parameter(writing, &child, steps, list->text);
        else if (error == NULL && kind == ASNAP_ENTRY_PARAMETER_PACK && steps < STEPS_MAX)
            error = write_list(writing, &child, steps + 1, list);
        if (error == NULL)
            error = step(&child, parent);
    }
    leave(&child);
    return error;
}

/* Writes the parameters of a function or of its type: "(int, char const*)". */
static struct asnap_error *write_parameters(struct writing *writing, const struct place *function,
                                            unsigned steps, struct text *text)
{
    struct list list = {.text = text};
    struct asnap_error *error = append(text, "(");
    if (error == NULL)
        error = write_list(writing, function, steps, &list);
    if (error == NULL)
        error = append(text, ")");
    if (error == NULL && list.behind.bytes != NULL)
        error = append(text, list.behind.bytes);
    free(list.behind.bytes);
    return error;
}

/* Whether the parameters below an entry have types: not where a call was inlined, nor where a class
 * of a type unit is described in brief. */
static struct asnap_error *find_types(const struct place *function, bool *found)
{
    struct place child = {.dwarf = function->dwarf, .mark = function->mark};
    struct asnap_error *error = step(&child, function);
    *found = false;
    while (error == NULL && child.entry.handle != NULL && !*found) {
        *found = child.entry.kind == ASNAP_ENTRY_PARAMETER_PACK ||
                 (child.entry.kind == ASNAP_ENTRY_PARAMETER &&
                  asnap_entry_has_type(child.dwarf, &child.entry));
        if (!*found)
            error = step(&child, function);
    }
    leave(&child);
    return error;
}

/* Goes along what an entry refers to, as far as there are types of parameters, and else to the end;
 * `line` is that of the function. */
static struct asnap_error *go_to_function(struct writing *writing, uint64_t offset,
                                          struct place *place, uint32_t *line)
{
    bool refers = true;
    uint64_t last = offset;
    uint64_t typed = 0;
    *line = 0;
    for (int i = 0; refers && i < REFERENCES_MAX; i++) {
        struct asnap_entry_name name;
        struct asnap_declaration declaration;
        bool has_types = false;
        struct asnap_error *error = go(writing, offset, place);
        if (error != NULL || place->entry.handle == NULL)
            return error;
        last = offset;
        asnap_entry_name(place->dwarf, &place->entry, &name);
        asnap_entry_declaration(place->dwarf, &place->entry, &declaration);
        if (declaration.line != 0)
            *line = declaration.line;
        if (declaration.is_of_lvalue || declaration.is_of_rvalue)
            writing->references = declaration.is_of_lvalue ? " &" : " &&";
        error = find_types(place, &has_types);
        if (has_types)
            typed = offset;
        refers = name.refers;
        offset = name.origin | place->mark;
        leave(place);
        if (error != NULL)
            return error;
    }
    writing->is_at_end = typed == 0 || typed == last;
    return go(writing, typed != 0 ? typed : last, place);
}

/* Whether the last part of a name, without template arguments, is that of the class before it. */
static bool is_of_constructor(const char *shortened)
{
    const char *last = strrchr(shortened, ':');
    if (last == NULL || last - shortened < 2)
        return false;
    const char *end = last - 1;
    const char *class = end;
    while (class > shortened && class[-1] != ':')
        class --;
    size_t length = (size_t)(end - class);
    return strlen(last + 1) == length && memcmp(last + 1, class, length) == 0;
}

/* Whether a name is that of an instance of a template whose symbol says what it returns: not that
 * of a constructor, nor of an operator, which may be a conversion. */
static struct asnap_error *find_result(const char *name, bool *has_result)
{
    size_t length = strlen(name);
    *has_result = length > 0 && name[length - 1] == '>' && strstr(name, "operator") == NULL;
    if (!*has_result)
        return NULL;
    char *shortened = malloc(length + 1);
    if (shortened == NULL)
        return asnap_error_no_memory();
    asnap_function_shorten(name, shortened);
    *has_result = !is_of_constructor(shortened);
    free(shortened);
    return NULL;
}

/* `is_known` becomes false where there are no parameters because none are described. */
static struct asnap_error *write_signature(struct writing *writing, const struct place *function,
                                           uint32_t line, const char *name, struct text *text,
                                           bool *is_known)
{
    uint64_t type = 0;
    bool has_result = false;
    struct asnap_error *error = find_result(name, &has_result);
    bool is_void = !type_of(function, &type);
    if (!writing->is_at_end || (is_void && asnap_entry_has_type(function->dwarf, &function->entry)))
        has_result = false;
    if (error == NULL && has_result)
        error = write_type(writing, is_void, type, 0, text);
    if (error == NULL && has_result)
        error = append(text, " ");
    /* What it returns tells no overloads apart. */
    writing->is_whole = true;
    writing->has_parameters = false;
    if (error == NULL)
        error = append_name(text, name);
    if (error == NULL)
        error = write_parameters(writing, function, 0, text);
    if (error == NULL)
        error = append(text, writing->references);
    if (error == NULL && !writing->has_parameters)
        error = asnap_unit_has_types(
            writing->names, asnap_entry_unit(function->dwarf, &function->entry) | function->mark,
            is_known);
    if (error != NULL || writing->is_whole || line == 0)
        return error;
    char part[32];
    snprintf(part, sizeof(part), " at line %" PRIu32, line);
    return append(text, part);
}

struct asnap_error *asnap_function_signature(struct asnap_entry_names *names, uint64_t offset,
                                             const char *name, char **signature)
{
    struct writing writing = {.names = names, .references = "", .is_whole = true};
    struct text text = {0};
    struct place function = {0};
    struct asnap_error *problem = NULL;
    uint32_t line = 0;
    bool is_known = true;
    struct asnap_error *error = go_to_function(&writing, offset, &function, &line);
    if (error == NULL && function.entry.handle != NULL)
        error = write_signature(&writing, &function, line, name, &text, &is_known);
    leave(&function);
    error = asnap_problem_keep(error, &problem);
    bool is_good =
        error == NULL && problem == NULL && is_known && text.length < ASNAP_NAME_BYTES_MAX;
    asnap_error_destroy(problem);
    if (!is_good) {
        free(text.bytes);
        text.bytes = NULL;
    }
    if (error == NULL)
        *signature = text.bytes;
    return error;
}
