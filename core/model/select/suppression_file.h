/* Suppressions as LeakSanitizer has them: lines of leak:PATTERN. */
#ifndef ASNAP_MODEL_SUPPRESSION_FILE_H
#define ASNAP_MODEL_SUPPRESSION_FILE_H

#include "error.h"

/* The most bytes of a file of rules, and the most rules. */
#define ASNAP_SUPPRESSION_FILE_MAX ((size_t)1 << 20)
#define ASNAP_SUPPRESSIONS_MAX 20000u

/* Whether a pattern matches within a text, which takes time in proportion to both: literal pieces
 * with anything between them where a * stands, each sought after the one before, where it is found
 * first. A ^ before the first piece has it at the text's beginning. A $ after a piece ends the
 * pattern, and has the text end there. No pattern matches an empty text. (TemplateMatch of
 * LLVM's compiler-rt.) */
bool asnap_suppression_matches(const char *pattern, const char *text);

/* Is handed a rule: its pattern, which is not empty and the caller's, and its line. */
typedef struct asnap_error *asnap_suppression_visitor(void *context, const char *pattern,
                                                      uint32_t line);

/* Reads the rules of a file, in their order. Empty lines and those that begin with # are passed
 * over. Fails with IO, INVALID_ARGUMENT (what is no rule: the file, the line, and why), NO_MEMORY,
 * and as `visit` does. */
struct asnap_error *asnap_suppression_file_read(const char *path, asnap_suppression_visitor *visit,
                                                void *context);

#endif
