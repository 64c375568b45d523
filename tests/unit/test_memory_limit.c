/* The limits of control groups, in files that look like the kernel's. */
#include "memory_limit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

static char directory[] = "/tmp/asnap-groups-XXXXXX";

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT(fputs(text, file) >= 0);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

static void put_at(const char *below, const char *text)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", directory, below);
    for (char *slash = strchr(path + strlen(directory) + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        CU_ASSERT(mkdir(path, 0700) == 0 || errno == EEXIST);
        *slash = '/';
    }
    put(path, text);
}

static uint64_t limit_of(const char *groups)
{
    char path[512];
    put_at("groups", groups);
    snprintf(path, sizeof(path), "%s/groups", directory);
    return asnap_memory_limit(path, directory);
}

static void open_directory(void)
{
    strcpy(directory + strlen(directory) - 6, "XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
}

static void remove_directory(void)
{
    char command[600];
    snprintf(command, sizeof(command), "rm -r %s", directory);
    CU_ASSERT_EQUAL(system(command), 0);
}

ASNAP_TEST(memory_limit, of_version_2)
{
    open_directory();
    CU_ASSERT_EQUAL(limit_of("0::/a/b\n"), UINT64_MAX);
    put_at("a/b/memory.max", "1000\n");
    put_at("a/memory.max", "max\n");
    CU_ASSERT_EQUAL(limit_of("0::/a/b\n"), 1000);
    CU_ASSERT_EQUAL(limit_of("0::/a/b"), 1000);
    CU_ASSERT_EQUAL(limit_of("0::/a\n"), UINT64_MAX);
    put_at("a/memory.max", "900\n");
    CU_ASSERT_EQUAL(limit_of("0::/a/b\n"), 900);
    put_at("memory.max", "800");
    CU_ASSERT_EQUAL(limit_of("0::/a/b\n"), 800);
    CU_ASSERT_EQUAL(limit_of("0::/\n"), 800);
    CU_ASSERT_EQUAL(limit_of("0::/not/there\n"), 800);
    CU_ASSERT_EQUAL(limit_of("0::/../b\n"), 800);
    CU_ASSERT_EQUAL(limit_of("0::/a/..\n"), 800);
    remove_directory();
}

ASNAP_TEST(memory_limit, of_version_1)
{
    open_directory();
    put_at("memory/a/b/memory.limit_in_bytes", "5000\n");
    put_at("memory/memory.limit_in_bytes", "9223372036854771712\n");
    put_at("memory.max", "1\n");
    CU_ASSERT_EQUAL(limit_of("9:cpu,cpuacct:/x\n7:memory:/a/b\n"), 5000);
    CU_ASSERT_EQUAL(limit_of("7:hugetlb,memory:/a/b\n"), 5000);
    CU_ASSERT_EQUAL(limit_of("7:memory,rdma:/a/b\n"), 5000);
    CU_ASSERT_EQUAL(limit_of("7:memory:/other\n"), UINT64_MAX);
    CU_ASSERT_EQUAL(limit_of("7:xmemory:/a/b\n7:memoryx:/a/b\n3:name=memory:/a/b\n"), UINT64_MAX);
    CU_ASSERT_EQUAL(limit_of("7:memory:/a/b\n0::/a\n"), 1);
    remove_directory();
}

ASNAP_TEST(memory_limit, of_what_the_kernel_does_not_write)
{
    static char line[100000];
    open_directory();
    put_at("memory.max", "77\n");
    const char *const bad[] = {"", "\n", "0", "0:", "::", ":\n:\n", "0:x:/\n", "\n\n\n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CU_ASSERT_EQUAL(limit_of(bad[i]), strcmp(bad[i], "::") == 0 ? 77 : UINT64_MAX);
    CU_ASSERT_EQUAL(limit_of("0::no slash\n"), 77);
    const char *const values[] = {"",
                                  "\n",
                                  "-1\n",
                                  "0x10\n",
                                  "1 2\n",
                                  "max",
                                  "1K",
                                  "18446744073709551617\n",
                                  "4611686018427387904\n"};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        put_at("memory.max", values[i]);
        CU_ASSERT_EQUAL(limit_of("0::/\n"), UINT64_MAX);
    }
    memset(line, '9', 200);
    put_at("memory.max", line);
    CU_ASSERT_EQUAL(limit_of("0::/\n"), UINT64_MAX);
    put_at("memory.max", "77\n");
    /* A path that is longer than any, and a file that is. */
    strcpy(line, "0::");
    for (size_t i = 3; i < 30000; i++)
        line[i] = i % 2 == 1 ? '/' : 'a';
    line[30000] = '\0';
    CU_ASSERT_EQUAL(limit_of(line), UINT64_MAX);
    memset(line, 'x', sizeof(line) - 1);
    CU_ASSERT_EQUAL(limit_of(line), UINT64_MAX);
    CU_ASSERT_EQUAL(asnap_memory_limit("/not/there", directory), UINT64_MAX);
    CU_ASSERT_EQUAL(asnap_memory_limit("/proc/self/cgroup", "/not/there"), UINT64_MAX);
    remove_directory();
}
