using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Memory;

namespace LazySnapshotter.Registry.Tests.Memory;

// What is believed, for how long, and who wins when two processes have learned different things.
public sealed class MemoryTableTests
{
    private readonly MovableClock _clock = new();
    private int _changes;

    [Fact]
    public void An_entry_is_recalled_until_it_expires()
    {
        var table = Table();
        table.Remember(Gap("a", TimeSpan.FromMinutes(1)));
        Assert.NotNull(table.Recall(Key("a")));
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Null(table.Recall(Key("a")));
        Assert.Empty(table.Living());
    }

    [Fact]
    public void A_clock_that_was_set_back_does_not_make_entries_eternal()
    {
        _clock.Advance(TimeSpan.FromDays(3650));
        var fromTheFuture = Gap("a", TimeSpan.FromMinutes(1));
        _clock.Advance(TimeSpan.FromDays(-3650));
        var table = Table();
        table.Merge([fromTheFuture]);
        Assert.Null(table.Recall(Key("a")));

        _clock.Advance(TimeSpan.FromMinutes(2));
        var slightlyOff = Gap("b", TimeSpan.FromMinutes(10));
        _clock.Advance(TimeSpan.FromMinutes(-2));
        table.Merge([slightlyOff]);
        Assert.NotNull(table.Recall(Key("b")));
    }

    [Fact]
    public void Of_two_that_know_the_same_thing_the_one_who_learned_later_is_right()
    {
        var older = Gap("a", TimeSpan.FromMinutes(1));
        _clock.Advance(TimeSpan.FromSeconds(1));
        var newer = Gap("a", TimeSpan.FromMinutes(2));

        var table = Table();
        table.Remember(older);
        table.Merge([newer, null]);
        Assert.Equal(newer, table.Recall(Key("a")));
        table.Merge([older]);
        Assert.Equal(newer, table.Recall(Key("a")));
    }

    [Fact]
    public void What_was_found_wanting_does_not_come_back_from_another_process_unless_it_is_learned_anew()
    {
        var table = Table();
        var refused = Gap("a", TimeSpan.FromMinutes(5));
        table.Remember(refused);
        _clock.Advance(TimeSpan.FromSeconds(1));
        table.Forget(Key("a"));
        table.Merge([refused]);
        Assert.Null(table.Recall(Key("a")));

        _clock.Advance(TimeSpan.FromSeconds(1));
        table.Merge([Gap("a", TimeSpan.FromMinutes(5))]);
        Assert.NotNull(table.Recall(Key("a")));
    }

    [Fact]
    public void Only_the_entry_that_was_found_wanting_is_forgotten()
    {
        var table = Table();
        var first = Gap("a", TimeSpan.FromMinutes(1));
        table.Remember(first);
        table.Forget(Key("a"), entry => !ReferenceEquals(entry, first));
        Assert.NotNull(table.Recall(Key("a")));
        table.Forget(Key("a"), entry => ReferenceEquals(entry, first));
        Assert.Null(table.Recall(Key("a")));
        Assert.Equal(2, _changes);
    }

    [Fact]
    public void Others_do_not_push_out_what_is_used_here()
    {
        var table = Table();
        for (var i = 0; i < 4; i++)
            table.Remember(Gap($"own{i}", TimeSpan.FromHours(1)));
        table.Merge([.. Enumerable.Range(0, 10).Select(i => Gap($"other{i}", TimeSpan.FromHours(1)))]);
        Assert.Equal(["own3", "own2", "own1", "own0"], table.Living().Select(e => e.Host));
    }

    [Fact]
    public void What_another_process_used_last_is_what_is_kept_of_too_much()
    {
        var table = Table();
        table.Merge([.. Enumerable.Range(0, 10).Select(i => Gap($"other{i}", TimeSpan.FromHours(1)))]);
        Assert.Equal(["other0", "other1", "other2", "other3"], table.Living().Select(e => e.Host));
    }

    [Fact]
    public void What_no_reader_would_take_is_not_kept()
    {
        var table = Table();
        table.Remember(Gap(new string('x', RegistryLimits.RememberedNameCharsMax + 1), TimeSpan.FromHours(1)));
        table.Remember(Gap("line\nbreak", TimeSpan.FromHours(1)));
        table.Remember(Gap("", TimeSpan.FromHours(1)));
        table.Merge([Gap("a", TimeSpan.FromHours(1)) with { What = "nonsense" }, Gap("a", TimeSpan.FromHours(1)) with { Host = null! }]);
        Assert.Empty(table.Living());
        Assert.Equal(0, _changes);
    }

    private static string Key(string host) => RememberedGap.KeyOf(host, RememberedGap.Ranges);

    private MemoryTable<RememberedGap> Table() => new(4, _clock, () => _changes++);

    private RememberedGap Gap(string host, TimeSpan lifetime)
    {
        var now = _clock.GetUtcNow();
        return new RememberedGap(host, RememberedGap.Ranges, now, now + lifetime);
    }
}
