/* A small library of functions that no other file sees, each inlined everywhere: gcc's debug
 * information has no linkage names for them, and theirs are made of their parameters. */
const volatile long *volatile kept;
volatile long total;

namespace outer
{
template <class T> struct Pair {
    T first, second;
};
enum Kind { small, large };
namespace
{
struct Box {
    long size;
    long hold(int more) const
    {
        return size + more * total;
    }
    long hold(int more)
    {
        return size - more * total;
    }
};
} // namespace
} // namespace outer

static void add(long number)
{
    total += number;
}
static void add(const char *const *texts)
{
    total += **texts;
}
static void add(outer::Pair<long> &pair, unsigned long)
{
    total += pair.first;
}
static void add(outer::Kind kind, void (*then)(int, const char *))
{
    then(kind, "");
}
static void add(const outer::Box &box)
{
    total += box.hold(1);
}
static void add(int (&numbers)[3])
{
    total += numbers[total & 1];
}
template <class T> static void add_all(T number)
{
    total += number;
}
template <class T, class... Rest> static void add_all(T number, Rest... rest)
{
    total += number;
    add_all(rest...);
}

void fill(const char *const *texts, void (*then)(int, const char *))
{
    outer::Pair<long> pair = {total, 1};
    outer::Box box = {total};
    int numbers[3] = {1, 2, 3};
    add(total);
    add(texts);
    add(pair, 1);
    add(outer::large, then);
    add(box);
    add(numbers);
    add_all(1, 2L, 'x');
    total += box.hold(2);
    kept = &pair.first;
}
