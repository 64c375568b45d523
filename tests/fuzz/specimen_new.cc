/* A small library whose calls of operator new have types beside them. */
namespace outer
{
template <class T> struct Pair {
    T first, second;
};
namespace
{
struct Hidden {
    Pair<long> pairs[3];
};
} // namespace
} // namespace outer

typedef struct {
    int number;
} Nameless;

const void *volatile kept[4];

void fill()
{
    struct Local {
        outer::Hidden hidden;
    };
    kept[0] = new outer::Pair<int>;
    kept[1] = new outer::Hidden *[3];
    kept[2] = new Local;
    kept[3] = new const Nameless[4]{};
}
