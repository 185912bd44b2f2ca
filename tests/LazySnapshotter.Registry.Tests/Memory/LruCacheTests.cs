using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Tests.Memory;

// What was not used for longest goes first, one by one.
public sealed class LruCacheTests
{
    [Fact]
    public void Beyond_the_count_the_one_not_used_for_longest_goes()
    {
        var cache = new LruCache<int, string>(3);
        for (var i = 1; i <= 3; i++)
            cache.Set(i, $"{i}");
        Assert.True(cache.TryGet(1, out _)); // Used: now 2 is the oldest.
        cache.Set(4, "4");
        Assert.Equal(["4", "1", "3"], cache.Values());
        Assert.Equal("5", cache.GetOrAdd(5, key => $"{key}"));
        Assert.Equal("1", cache.GetOrAdd(1, _ => "another"));
        Assert.Equal(["1", "5", "4"], cache.Values());
    }

    [Fact]
    public void Beyond_the_weight_as_many_go_as_must()
    {
        var cache = new LruCache<int, string>(100, weightMax: 10);
        for (var i = 0; i < 5; i++)
            cache.Set(i, $"{i}", weight: 2);
        Assert.Equal(10, cache.Weight);
        cache.Set(5, "heavy", weight: 7);
        Assert.Equal(["heavy", "4"], cache.Values());
        Assert.Equal(9, cache.Weight);
        cache.Set(5, "light", weight: 1);
        Assert.Equal(3, cache.Weight);
    }

    [Fact]
    public void What_is_heavier_than_everything_allowed_is_not_kept_and_pushes_nobody_out()
    {
        var cache = new LruCache<int, string>(100, weightMax: 10);
        cache.Set(1, "small", weight: 3);
        cache.Set(2, "old", weight: 3);
        cache.Set(2, "too heavy", weight: 11);
        Assert.Equal(["small"], cache.Values());
    }

    // Against the plainest model of it that there can be.
    [Fact]
    public void It_does_what_a_list_would_do()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var cache = new LruCache<int, int>(8, weightMax: 40);
        var model = new List<(int Key, int Value, int Weight)>();
        for (var step = 0; step < 20_000; step++)
        {
            var (key, weight) = (random.Next(16), random.Next(12));
            switch (random.Next(4))
            {
                case 0:
                    cache.Remove(key);
                    model.RemoveAll(e => e.Key == key);
                    break;
                case 1:
                    var found = cache.TryGet(key, out var value);
                    var at = model.FindIndex(e => e.Key == key);
                    Assert.True(found == (at >= 0) && (!found || value == model[at].Value), $"seed {seed}, step {step}");
                    if (at >= 0)
                    {
                        var entry = model[at];
                        model.RemoveAt(at);
                        model.Insert(0, entry);
                    }

                    break;
                default:
                    cache.Set(key, step, weight);
                    model.RemoveAll(e => e.Key == key);
                    model.Insert(0, (key, step, weight));
                    while (model.Count > 8 || model.Sum(e => e.Weight) > 40)
                        model.RemoveAt(model.Count - 1);
                    break;
            }

            Assert.True(model.Select(e => e.Value).SequenceEqual(cache.Values()), $"seed {seed}, step {step}");
            Assert.Equal(model.Sum(e => e.Weight), cache.Weight);
        }
    }
}
