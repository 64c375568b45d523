/* allocsnap: snapshots of a native program's heap, by allocation site.
 *
 * The public interface of liballocsnap, one header for each topic; this one includes them
 * all. The words are those of CPython's tracemalloc; docs/architecture.md says how the
 * parts fit together.
 *
 * Conventions
 *   - A function that can fail returns a `struct asnap_error *`: NULL is success,
 *     else the caller owns the error. Outputs come last and are untouched on
 *     failure.
 *   - `_create` hands an object to the caller, `_destroy` takes it back and
 *     accepts NULL. Getters lend: what they return lives as long as the object.
 *   - Strings are NUL-terminated UTF-8 or whatever bytes a debug file holds.
 *   - Addresses are the inferior's, as numbers. Sizes are in bytes.
 *
 * Threads
 *   - Different objects may be used from different threads at once; snapshots that share
 *     storage (one was filtered, skipped or symbolized from the other) count as one object.
 *   - Nothing is safe on one object from two threads at once, but for statistics and
 *     differences, which never change once they are created, and asnap_version.
 *   - A symbolizer that reads debug information apart forks, and has the child read files;
 *     the process should have no other thread inside that symbolizer meanwhile.
 *
 * Compatibility
 *   - While the version is 0.x, the minor number changes with every change of these
 *     headers that is not an addition, and the soname (liballocsnap.so.0) stays: a program
 *     checks asnap_version against the version that it was built with, as the Python
 *     package does.
 *   - Enumerators keep their values. Structures may grow in a new minor version.
 */
#ifndef ALLOCSNAP_H
#define ALLOCSNAP_H

#include "allocsnap_base.h"
#include "allocsnap_cpython.h"
#include "allocsnap_export.h"
#include "allocsnap_graph.h"
#include "allocsnap_heaps.h"
#include "allocsnap_inferior.h"
#include "allocsnap_names.h"
#include "allocsnap_render.h"
#include "allocsnap_report.h"
#include "allocsnap_snapshot.h"
#include "allocsnap_statistics.h"
#include "allocsnap_tracing.h"

#endif
