/* What layers.cc inlines: calls in a header, with calls of its own in them. */
#ifndef LAYERS_H
#define LAYERS_H

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace layers
{

template <int depth, class Value> struct Layer {
    static inline __attribute__((always_inline)) Value apply(Value value, const char *text)
    {
        if (value % (depth + 2) == 0)
            value += static_cast<Value>(std::atoi(text));
        return Layer<depth - 1, Value>::apply(value, text + (value & 1)) + depth;
    }
};

template <class Value> struct Layer<0, Value> {
    static inline __attribute__((always_inline)) Value apply(Value value, const char *text)
    {
        return value + static_cast<Value>(std::atoi(text));
    }
};

/* Of a type unit, where there are any: a member that is defined outside of its class. */
class Register
{
  public:
    struct Entry {
        std::string name;
        long value;
        bool operator<(const Entry &other) const
        {
            return value != other.value ? value < other.value : name < other.name;
        }
    };

    void add(const std::string &name, long value);
    long total() const;
    template <class Visitor> void each(Visitor visitor) const
    {
        for (const Entry &entry : entries)
            visitor(entry);
    }

  protected:
    std::vector<Entry> entries;
};

inline void Register::add(const std::string &name, long value)
{
    entries.push_back({name, Layer<6, long>::apply(value, name.c_str())});
    std::sort(entries.begin(), entries.end());
}

} // namespace layers

#endif
