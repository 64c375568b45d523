/* What leads to each block is known: global, static, thread-local and local variables, C++ objects,
 * and nothing. The sizes are those that glibc gives, too. */
#include <cstdlib>
#include <cstring>

struct Node {
    Node *next;
    void *data;
};

struct Session {
    explicit Session(Session *before) : buffer(malloc(1000)), peer(before)
    {
    }
    virtual ~Session()
    {
    }
    void *buffer;
    Session *peer;
};

Node *list;
Session *sessions;
/* Also at the end of the list: this way is shorter. */
void *nearer;
static void *table[16];
static thread_local void *own;

extern "C" __attribute__((noinline)) void phase()
{
    __asm__ volatile("");
}

extern "C" __attribute__((noinline)) void stop_here(int trap)
{
    if (trap)
        __builtin_trap();
}

__attribute__((noinline)) static void fill()
{
    for (int i = 0; i < 3; i++) {
        Node *node = static_cast<Node *>(malloc(24));
        node->next = list;
        node->data = malloc(40);
        list = node;
        sessions = new Session(sessions);
    }
    nearer = malloc(312);
    list->next->next->next = static_cast<Node *>(nearer);
    memset(nearer, 0, 312);
    for (int i = 0; i < 4; i++)
        table[4 * i] = malloc(104);
    own = malloc(200);
    void **lost = static_cast<void **>(malloc(136));
    memset(lost, 0, 136);
    lost[3] = malloc(152);
}

__attribute__((noinline)) static void add()
{
    table[3] = malloc(104);
    sessions = new Session(sessions);
    void *data = list->data;
    list->data = nullptr;
    free(data);
}

/* Old values on the stack, in what later calls take. */
__attribute__((noinline)) static void wipe()
{
    char bytes[8192];
    memset(bytes, 0, sizeof(bytes));
    __asm__ volatile("" : : "r"(bytes) : "memory");
}

int main(int argc, char **)
{
    fill();
    wipe();
    void *volatile local = malloc(56);
    wipe();
    phase();
    add();
    wipe();
    stop_here(argc > 1);
    local = nullptr;
    return local != nullptr;
}
