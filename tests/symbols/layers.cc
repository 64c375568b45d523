// What the accuracy test looks at: deep inlining over files, templates, lambdas in lambdas,
// virtual functions, exceptions with parts that are seldom run, and a nested class of a function.
#include "layers.h"

#include <cstdio>
#include <memory>
#include <stdexcept>

namespace layers
{

long Register::total() const
{
    long sum = 0;
    each([&sum](const Entry &entry) {
        auto add = [&](long more) { sum += Layer<3, long>::apply(more, entry.name.c_str()); };
        if (entry.value < -1000000)
            throw std::out_of_range(entry.name + " is too small");
        add(entry.value);
    });
    return sum;
}

namespace
{

struct Shape {
    virtual ~Shape() = default;
    virtual long size(long scale) const = 0;
};

template <class Number> struct Square : Shape {
    explicit Square(Number side) : side(side)
    {
    }
    long size(long scale) const override
    {
        return Layer<2, long>::apply(static_cast<long>(side * side), "3") * scale;
    }
    Number side;
};

std::unique_ptr<Shape> make(int kind)
{
    if (kind % 2 == 0)
        return std::make_unique<Square<long>>(kind);
    if (kind > 100)
        throw std::invalid_argument(std::to_string(kind));
    return std::make_unique<Square<double>>(kind * 1.5);
}

} // namespace

static long counted(int count)
{
    struct Local {
        std::map<std::string, std::function<long(long)>> actions;
        long run(const std::string &name, long value)
        {
            auto found = actions.find(name);
            return found == actions.end() ? -1 : found->second(value);
        }
    } local;
    local.actions["twice"] = [](long value) { return value * 2; };
    local.actions["layers"] = [count](long value) {
        return Layer<4, long>::apply(value, "12") + count;
    };
    return local.run("twice", count) + local.run("layers", count) + local.run("none", count);
}

} // namespace layers

int main(int argc, char **argv)
{
    layers::Register entries;
    long total = layers::counted(argc);
    try {
        for (int i = 0; i < argc * 3; i++) {
            entries.add(argv[i % argc], i);
            total += layers::make(i)->size(i);
        }
        total += entries.total();
    } catch (const std::exception &problem) {
        std::printf("%s\n", problem.what());
    }
    std::printf("%ld\n", total);
    return 0;
}
