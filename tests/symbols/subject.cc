// What the accuracy test looks at, in C++: templates, members, lambdas, namespaces.
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace shop
{

namespace
{

class Basket
{
  public:
    explicit Basket(int size)
    {
        for (int i = 0; i < size; i++)
            items.push_back(std::to_string(i * i));
    }

    std::size_t weight() const
    {
        std::size_t total = 0;
        for (const auto &item : items)
            total += item.size();
        return total;
    }

  private:
    std::vector<std::string> items;
};

int hidden(int count)
{
    Basket basket(count);
    return static_cast<int>(basket.weight());
}

} // namespace

template <class Number> Number twice(Number number)
{
    return number + number;
}

int visible(int count)
{
    auto both = [&](int more) { return hidden(more) + twice(count); };
    auto owned = std::make_unique<std::vector<double>>(static_cast<std::size_t>(count) * 3);
    if (owned->empty())
        throw std::runtime_error("nothing to sell");
    return both(count) + static_cast<int>(owned->size());
}

} // namespace shop

static int guarded(int count)
{
    try {
        return shop::visible(count - 1) + shop::visible(count);
    } catch (const std::exception &problem) {
        std::puts(problem.what());
        return -1;
    }
}

int main(int argc, char **)
{
    std::printf("%d\n", guarded(argc));
    return 0;
}
