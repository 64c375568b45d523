#include "problem.h"

#include "error.h"

struct asnap_error *asnap_problem_keep(struct asnap_error *error, struct asnap_error **problem)
{
    if (error == NULL || asnap_error_code(error) == ASNAP_ERROR_NO_MEMORY ||
        asnap_error_code(error) == ASNAP_ERROR_INTERRUPTED)
        return error;
    if (*problem == NULL)
        *problem = error;
    else
        asnap_error_destroy(error);
    return NULL;
}
