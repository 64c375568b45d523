#include "function_name.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* The length of a bracketed piece at `at`; 0 where it does not end. */
static size_t bracketed(const char *at, char open, char close)
{
    size_t depth = 0;
    for (size_t i = 0; at[i] != '\0'; i++) {
        bool is_arrow = at[i] == '>' && i > 0 && at[i - 1] == '-';
        if (at[i] == open)
            depth++;
        else if (at[i] == close && !is_arrow && --depth == 0)
            return i + 1;
    }
    return 0;
}

static bool begins(const char *at, const char *word)
{
    return strncmp(at, word, strlen(word)) == 0;
}

static bool is_word(char character)
{
    return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'z') ||
           (character >= 'A' && character <= 'Z') || character == '_';
}

/* The length of an operator's symbols ([over.oper]); 0 where there are none. Template arguments
 * may follow at once. */
static size_t operator_symbols(const char *at)
{
    static const char *const longer[] = {
        "<=>", "<<=", ">>=", "->*", "()", "[]", "<<", ">>", "<=", ">=", "==", "!=", "&&",
        "||",  "++",  "--",  "->",  "+=", "-=", "*=", "/=", "%=", "^=", "&=", "|="};
    for (size_t i = 0; i < sizeof(longer) / sizeof(longer[0]); i++) {
        if (begins(at, longer[i]))
            return strlen(longer[i]);
    }
    return *at != '\0' && strchr("<>=-+*/%^&|~!,", *at) != NULL ? 1 : 0;
}

/* The length of what belongs together at `at` though it has brackets in it; 0: nothing. */
static size_t inseparable(const char *at, const char *output, size_t length)
{
    static const char anonymous[] = "(anonymous namespace)";
    bool is_start = length == 0 || !is_word(output[length - 1]);
    if (begins(at, anonymous))
        return sizeof(anonymous) - 1;
    if (*at == '{')
        return bracketed(at, '{', '}');
    /* "<T as Trait>::f" of Rust. */
    if (*at == '<' && length == 0)
        return bracketed(at, '<', '>');
    if (!begins(at, "operator") || is_word(at[8]) || !is_start)
        return 0;
    size_t symbols = operator_symbols(at + 8);
    return symbols > 0 ? 8 + symbols : strcspn(at, "(<");
}

/* Writes the short form to `output`, which has room for the whole; 0: there is none. */
static size_t shorten(const char *name, char *output)
{
    size_t length = 0;
    for (const char *at = name; *at != '\0';) {
        size_t whole = inseparable(at, output, length);
        if (whole > 0) {
            memcpy(output + length, at, whole);
            length += whole;
            at += whole;
            continue;
        }
        size_t left_out = 0;
        if (*at == '<')
            left_out = bracketed(at, '<', '>');
        else if (*at == '(')
            left_out = bracketed(at, '(', ')');
        if ((*at == '<' || *at == '(') && left_out == 0)
            return 0;
        if (*at == '(' && at[left_out] != ':')
            return length;
        if (*at == ' ' && at[1] == '[')
            return length;
        if (left_out > 0) {
            /* "f::<u32>" of Rust. */
            if (*at == '<' && length > 2 && output[length - 1] == ':')
                length -= 2;
            at += left_out;
        } else if (*at == ' ' && at[1] == '<') {
            at++; /* "operator<< <char>" */
        } else if (*at == ' ') {
            length = 0; /* what came before is the type that is returned */
            at++;
        } else {
            output[length++] = *at++;
        }
    }
    return length;
}

void asnap_function_shorten(const char *name, char *output)
{
    size_t length = shorten(name, output);
    if (length == 0)
        memcpy(output, name, strlen(name) + 1);
    else
        output[length] = '\0';
}

const char *asnap_function_of_library(const char *name)
{
    static const char *const prefixes[] = {"_", "IO_new_", "IO_", "GI_", "new_"};
    const char *found = name;
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]);) {
        size_t length = strlen(prefixes[i]);
        /* Without a mark of being inner, a name stays what it is. */
        bool is_inner = found != name || prefixes[i][0] == '_';
        if (is_inner && strncmp(found, prefixes[i], length) == 0 && is_word(found[length])) {
            found += length;
            i = 0;
        } else {
            i++;
        }
    }
    return found;
}
