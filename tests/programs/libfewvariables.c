/* Takes the variables that a debugger, or valgrind, has added out of the environment of Perl and
 * Python before they copy it. */
#include <string.h>

extern char **environ;
extern char *program_invocation_short_name;

static int begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

__attribute__((constructor)) static void leave_out(void)
{
    char **kept = environ;
    if (!begins(program_invocation_short_name, "perl") &&
        !begins(program_invocation_short_name, "python"))
        return;
    for (char **variable = environ; *variable != NULL; variable++) {
        if (begins(*variable, "PYTHON") || begins(*variable, "PERL"))
            *kept++ = *variable;
    }
    *kept = NULL;
}
